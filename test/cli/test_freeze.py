"""``enpire freeze``: not without a report; afterwards a station can be held against it."""

from __future__ import annotations

import json
from pathlib import Path

from contract_support import passing_report
import pytest

from enpire_nodes.bringup.configuration import load_configuration
from enpire_nodes.cli.freeze import subject_of_station
from enpire_nodes.cli.main import main
from enpire_nodes.environment.contract.files import digests
from enpire_nodes.environment.contract.manifest import load_manifest


@pytest.fixture
def station(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a station's file with files of its own, in the working directory."""
    config = Path(load_configuration().source).parents[1]
    for name in ('stations/simulated.yaml', 'safety/yam.yaml', 'tasks/pin_insertion.yaml'):
        (tmp_path / Path(name).name).write_bytes((config / name).read_bytes())
    file = tmp_path / 'bench.yaml'
    file.write_text(
        'files: {station: simulated.yaml, limits: yam.yaml, task: pin_insertion.yaml}\n'
        'parameters: {reward_classifier: {min_frames: 4}}\n'
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('ENPIRE_KEYS', str(tmp_path / 'keys'))
    return file


def accept(station: Path, **fields: object) -> Path:
    """Write a report about the station's judge that passes, but for ``fields``."""
    subject = subject_of_station(load_configuration(station))
    path = station.parent / 'environment' / 'pin_insertion' / 'acceptance.json'
    path.parent.mkdir(parents=True)
    report = passing_report(subject.digests['verifier'], digests(subject.files))
    path.write_text(json.dumps({**report, **fields}))
    return path


def freeze(station: Path, *more: str) -> int:
    return main(['freeze', 'pin_insertion', '--station', str(station), *more])


def test_without_a_report_nothing_is_frozen(station, capsys):
    assert freeze(station) == 1
    said = capsys.readouterr().err
    assert 'there is no acceptance report' in said
    assert 'ENVIRONMENT_NOT_ACCEPTED' in said
    assert not (station.parent / 'frozen').exists()


def test_a_report_about_another_judge_is_refused(station, capsys):
    accept(station, digest='0' * 64)
    assert freeze(station) == 1
    assert 'about another judge' in capsys.readouterr().err


def test_an_accepted_environment_is_frozen_and_found_as_it_was(station, capsys):
    accept(station)
    assert freeze(station) == 0
    said = capsys.readouterr().out
    manifest = load_manifest(Path('frozen/pin_insertion/manifest.json'))
    assert manifest.digest in said
    assert 'enpire up --manifest frozen/pin_insertion/manifest.json' in said
    assert manifest.parameters['reward_classifier']['min_frames'] == 4
    assert manifest.parameters['safety_gate']['command_timeout'] == 0.15
    assert {'settings/limits', 'settings/station', 'settings/task'} <= set(manifest.files)
    assert freeze(station, '--check') == 0


@pytest.mark.parametrize(
    ('name', 'old', 'new', 'words'),
    [
        ('yam.yaml', 'why: ', 'why:  ', 'settings/limits was changed'),
        ('simulated.yaml', 'width: 320', 'width: 321', 'settings/station was changed'),
        ('pin_insertion.yaml', '\n', '\n\n', 'settings/task was changed'),
        ('bench.yaml', 'min_frames: 4', 'min_frames: 1', 'min_frames = 1, frozen was 4'),
        (
            'frozen/pin_insertion/acceptance.json',
            'recall',
            'recell',
            'acceptance.json was changed',
        ),
        ('frozen/pin_insertion/manifest.json', '', '', 'changed after it was frozen'),
    ],
)
def test_a_change_is_named(station, capsys, name, old, new, words):
    accept(station)
    freeze(station)
    path = station.parent / name
    text = path.read_text()
    if name.endswith('manifest.json'):
        old, new = '"task": "pin_insertion"', '"task": "pin_insertion "'
    assert old in text
    path.write_text(text.replace(old, new, 1))
    capsys.readouterr()
    assert freeze(station, '--check') == 1
    assert words in capsys.readouterr().err


def test_a_second_freeze_is_another_campaign(station, capsys):
    accept(station)
    freeze(station)
    assert freeze(station) == 1
    assert 'a new freeze is a new campaign' in capsys.readouterr().err
    assert freeze(station, '--output', 'frozen/second') == 0


def test_a_bad_station_file_is_wrong_usage(station, capsys):
    station.write_text(station.read_text() + 'colour: red')
    assert freeze(station) == 2
    assert 'colour' in capsys.readouterr().err
