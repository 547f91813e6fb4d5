"""What is frozen of a station's configuration, and that its runner finds the same."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from enpire_nodes.bringup.configuration import load_configuration, StationConfiguration
from enpire_nodes.bringup.nodes import station_nodes
from enpire_nodes.cli.freeze_subject import subject_of_station
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.environment.context import load_context
from enpire_nodes.environment.contract.subject import Subject
from enpire_nodes.environment.learned import weights
from enpire_nodes.rollout.runner_environment import subject_of_node
from enpire_nodes.rollout.runner_parameters import PARAMETERS


@pytest.fixture
def station(tmp_path) -> Path:
    """Make a station's file that names the shipped files."""
    file = tmp_path / 'bench.yaml'
    file.write_text('files:\n')
    config = Path(load_configuration().source).parents[1]
    for what, name in (('station', 'stations/simulated.yaml'), ('limits', 'safety/yam.yaml')):
        with file.open('a') as stream:
            stream.write(f'  {what}: {config / name}\n')
    return file


class Runner:
    """The parameters of the trial runner that a station of a configuration would start."""

    def __init__(self, configuration: StationConfiguration) -> None:
        (node,) = (n for n in station_nodes(configuration) if n.name == 'trial_runner')
        self._values = {spec.name: spec.default for spec in PARAMETERS} | dict(node.parameters)

    def has_parameter(self, name: str) -> bool:
        return name in self._values

    def get_parameter(self, name: str) -> SimpleNamespace:
        return SimpleNamespace(value=self._values[name])


def both(configuration: StationConfiguration) -> tuple[Subject, Subject]:
    """Return what `enpire freeze` finds, and what the trial runner does."""
    runner = Runner(configuration)
    context = load_context(runner, otherwise=ErrorCode.RUNNER_STATION_NOT_READY)
    return subject_of_station(configuration), subject_of_node(runner, context)


@pytest.mark.parametrize('given', ['', 'task'])
def test_a_station_and_its_runner_have_the_same_environment(station, tmp_path, given):
    if given:
        (tmp_path / 'own.yaml').write_text('verify: {frames: 5}\n')
        station.write_text(f'{station.read_text()}  {given}: own.yaml\n')
    frozen, held = both(load_configuration(station))
    assert (held.task, held.digests) == (frozen.task, frozen.digests)
    assert held.files.listing() == frozen.files.listing()
    assert held.files.listing()['settings/task'].name == (
        'own.yaml' if given else 'pin_insertion.yaml'
    )


def test_both_take_the_weights_that_the_station_names(station, tmp_path, monkeypatch):
    """Any file will do here: what is in it is checked where weights are read."""
    (tmp_path / 'eyes.npz').write_bytes(b'weights')
    station.write_text(f'{station.read_text()}  weights: eyes.npz\n')
    asked = []

    def load_eyes(path: Path, **given: object) -> None:
        asked.append(path)

    monkeypatch.setattr(weights, 'load_eyes', load_eyes)
    frozen, held = both(load_configuration(station))
    assert asked == [tmp_path / 'eyes.npz'] * 2
    assert frozen.files.listing()['settings/weights'] == tmp_path / 'eyes.npz'
    assert held.files.listing() == frozen.files.listing()


def test_what_the_driver_senses_is_frozen_and_what_changes_nothing_is_not(station):
    values = subject_of_station(load_configuration(station)).parameters['driver']
    assert values['noise.drift_sd'] == 0.0025  # of the station's file
    assert values['faults.camera.side'] == 'none'
    assert values['camera_rate'] == 10.0
    assert not {'seed', 'publish_ground_truth', 'placement'} & set(values)


def test_a_robot_that_is_brought_up_elsewhere_has_no_parameters_of_ours(station):
    station.write_text(f'driver: external\n{station.read_text()}')
    subject = subject_of_station(load_configuration(station))
    assert set(subject.parameters) == {'safety_gate', 'scene_reset', 'reward_classifier'}
    assert subject.parameters['safety_gate']['driver'] == ''  # so that one cannot be the other


def test_a_station_file_with_a_noise_that_there_is_not_is_named(station, tmp_path):
    file = load_configuration(station).station_file
    (tmp_path / 'loud.yaml').write_text(file.read_text().replace('drift_sd', 'drift_of_sd'))
    station.write_text(station.read_text().replace(str(file), 'loud.yaml'))
    with pytest.raises(StationError, match='drift_of_sd') as caught:
        subject_of_station(load_configuration(station))
    assert caught.value.code is ErrorCode.ENVIRONMENT_MANIFEST_INVALID
