"""``enpire freeze``: not without a report; afterwards a station can be held against it."""

from __future__ import annotations

from argparse import Namespace
import json
from pathlib import Path
import shlex

from contract_support import passing_report
import pytest
import yaml

from enpire_nodes.bringup.configuration import load_configuration
from enpire_nodes.cli import freeze as module
from enpire_nodes.cli.freeze_subject import subject_of_station
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
    assert manifest.parameters['reward_classifier']['min_frames'] == 4
    assert manifest.parameters['safety_gate']['command_timeout'] == 0.15
    assert manifest.parameters['driver']['noise.drift_sd'] == 0.0025
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
            'bench.yaml',
            'min_frames: 4}',
            'min_frames: 4}, driver: {noise.force_sd: 0.0}',
            'driver runs with noise.force_sd = 0.0, frozen was 0.15',
        ),
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


def test_the_commands_that_are_printed_work_as_they_are(station, capsys):
    accept(station)
    freeze(station)
    said = capsys.readouterr().out.splitlines()
    up, check = (line.split('  ')[-1].strip() for line in said if ' enpire ' in line)
    assert main([*shlex.split(up)[1:], '--show']) == 0
    shown = yaml.safe_load(capsys.readouterr().out)
    values = shown['/station_1/trial_runner']['ros__parameters']
    assert values['manifest'] == str(station.parent / 'frozen/pin_insertion/manifest.json')
    assert values['limits_file'] == str(station.parent / 'yam.yaml')
    assert values['task'] == 'pin_insertion'
    assert main(shlex.split(check)[1:]) == 0


def test_weights_that_were_named_are_named_in_what_to_do_next(tmp_path):
    args = Namespace(station='my lab.yaml', task='pin_insertion', weights='eyes.npz')
    _, up, check, _ = module._next(args, tmp_path, 'd' * 64).splitlines()
    assert "'my lab.yaml' --task pin_insertion --weights eyes.npz" in up
    assert "--station 'my lab.yaml' --weights eyes.npz" in check


@pytest.mark.parametrize(
    ('name', 'value'), [('noise.drift_sd', 0.0), ('faults.slippery', 0.5), ('camera_rate', 5.0)]
)
def test_a_driver_that_is_not_as_the_judge_was_measured_is_not_frozen(
    station, capsys, name, value
):
    text = station.read_text()
    station.write_text(text.replace('4}', f'4}}, driver: {{{name}: {value}}}'))
    assert freeze(station) == 1
    said = capsys.readouterr().err
    assert f'the driver would run with {name} = {value}, but the judge was measured with' in said
    assert 'ENVIRONMENT_NOT_ACCEPTED' in said


def test_weights_that_are_not_there_are_wrong_usage(station, capsys):
    assert freeze(station, '--weights', 'missing.npz') == 2
    assert '--weights: there is no file' in capsys.readouterr().err


def test_files_that_are_no_mapping_are_wrong_usage_with_weights_too(station, capsys):
    station.write_text('files: 3')
    assert freeze(station, '--weights', 'bench.yaml') == 2
    assert 'files: must be a mapping' in capsys.readouterr().err


def test_weights_that_cannot_be_read_are_named(station, capsys):
    assert freeze(station, '--weights', 'bench.yaml') == 1
    said = capsys.readouterr().err
    assert 'bench.yaml' in said
    assert 'ENVIRONMENT_WEIGHTS_UNUSABLE' in said


def test_a_bad_station_file_is_wrong_usage(station, capsys):
    station.write_text(station.read_text() + 'colour: red')
    assert freeze(station) == 2
    assert 'colour' in capsys.readouterr().err
