"""The environment of a station: its files, and what its nodes will say of themselves."""

from __future__ import annotations

from pathlib import Path

from enpire_nodes.common.files import config_file
from enpire_nodes.environment.contract.identity import code_digest, settings_digest
from enpire_nodes.environment.contract.subject import Subject, subject_of
from enpire_nodes.environment.safety.limits_file import read_limits
from enpire_nodes.environment.setup import judge_setup


def subject(limits: Path) -> Subject:
    station = config_file('stations/simulated.yaml')
    setup = judge_setup('pin_insertion', None, station, None)
    made = subject_of(
        setup,
        settings={'limits': limits, 'station': station, 'task': None},
        parameters={'scene_reset': {'timeout': 120.0}},
    )
    assert made.digests['settings'] == settings_digest(setup.task, setup.cameras)
    assert made.digests['verifier'] == setup.verifier().digest
    return made


def test_a_station_of_the_shipped_files():
    limits = config_file('safety/yam.yaml')
    made = subject(limits)
    assert made.task == 'pin_insertion'
    assert made.digests['limits'] == read_limits(limits).digest
    assert made.digests['code'] == code_digest()  # as every node of this process would say
    assert made.parameters == {'scene_reset': {'timeout': 120.0}}
    listing = made.files.listing()
    assert listing['settings/limits'] == limits
    assert 'enpire_nodes/tasks/pin_insertion/verify.py' in listing


def test_other_limits_are_another_environment(tmp_path):
    limits = config_file('safety/yam.yaml')
    other = tmp_path / 'limits.yaml'
    other.write_text(limits.read_text() + '\n# looked at\n')
    first, second = subject(limits), subject(other)
    assert first.digests['limits'] != second.digests['limits']
    assert first.digests['verifier'] == second.digests['verifier']
