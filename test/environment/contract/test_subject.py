"""The environment of a station: its files, and what its nodes will say of themselves."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from enpire_nodes.common.cameras import cameras_from_settings
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.files import config_file
from enpire_nodes.environment.contract.identity import code_digest, settings_digest
from enpire_nodes.environment.contract.subject import judge_of, Subject, subject_of
from enpire_nodes.environment.safety.limits_file import read_limits
from enpire_nodes.tasks.registry import load_task


def subject(limits: Path) -> Subject:
    station = config_file('stations/simulated.yaml')
    task = load_task('pin_insertion')
    cameras = cameras_from_settings(yaml.safe_load(station.read_text())['cameras'])
    used = {name: cameras[name] for name in task.cameras}
    made = subject_of(
        task,
        used,
        settings={'limits': limits, 'station': station, 'task': None},
        parameters={'scene_reset': {'timeout': 120.0}},
    )
    assert made.digests['settings'] == settings_digest(task, used)
    assert made.digests['verifier'] == task.verifier(used).digest
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


def test_weights_for_a_task_without_learned_eyes_are_refused(tmp_path):
    with pytest.raises(StationError, match='the task push_t has no `crops`') as caught:
        judge_of(SimpleNamespace(name='push_t'), {}, tmp_path / 'eyes.npz')
    assert caught.value.code is ErrorCode.ENVIRONMENT_WEIGHTS_UNUSABLE
