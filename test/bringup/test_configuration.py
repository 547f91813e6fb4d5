"""A station's configuration, and every mistake in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from enpire_nodes.bringup.configuration import ConfigurationError, load_configuration
from enpire_nodes.bringup.table import NODES

StationFile = Callable[..., Path]


def test_the_station_that_ships_is_the_default() -> None:
    configuration = load_configuration()
    assert configuration.namespace == '/station_1'
    assert configuration.nodes == tuple(NODES)
    assert configuration.limits_file.is_file()
    assert configuration.station_file.is_file()
    assert configuration.run == Path('runs/station_1').absolute()


def test_every_key_of_the_station_that_ships_says_its_default(station_file: StationFile) -> None:
    shipped, bare = load_configuration(), load_configuration(station_file())
    names = ('station', 'task', 'pace', 'speed', 'seed', 'run', 'driver', 'groups', 'respawn')
    assert [getattr(bare, name) for name in names] == [getattr(shipped, name) for name in names]


def test_the_weights_of_the_judge_are_named_beside_the_other_files_or_by_a_person(
    write: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load_configuration().weights_file is None
    (tmp_path / 'eyes.npz').write_bytes(b'')
    shipped = load_configuration()
    files = f'station: {shipped.station_file}, limits: {shipped.limits_file}'
    file = write(f'files: {{{files}, weights: eyes.npz}}')
    assert load_configuration(file).weights_file == tmp_path / 'eyes.npz'
    (tmp_path / 'mine').mkdir()
    (tmp_path / 'mine' / 'better.npz').write_bytes(b'')
    monkeypatch.chdir(tmp_path / 'mine')
    better = tmp_path / 'mine' / 'better.npz'
    assert load_configuration(file, weights='better.npz').weights_file == better
    assert load_configuration(weights='better.npz').weights_file == better
    with pytest.raises(ConfigurationError, match='weights'):
        load_configuration(file, weights='eyes.npz')
    with pytest.raises(ConfigurationError, match='weights'):
        load_configuration(write(f'files: {{{files}, weights: none.npz}}', 'other.yaml'))


def test_weights_are_put_beside_files_alone(write: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / 'eyes.npz').write_bytes(b'')
    with pytest.raises(ConfigurationError, match='files'):
        load_configuration(write('files: 3'), weights=tmp_path / 'eyes.npz')


def test_the_settings_that_ship_with_a_task_are_taken_wherever_the_station_lies(
    station_file: StationFile,
) -> None:
    shipped = load_configuration()
    assert shipped.task_file is not None
    assert load_configuration(station_file()).task_file == shipped.task_file


def test_what_loads_controllers_shares_no_process_with_what_is_frozen(
    station_file: StationFile, tmp_path: Path
) -> None:
    (tmp_path / 'manifest.json').write_bytes(b'')
    manifest = f'manifest: {tmp_path}/manifest.json'
    load_configuration(station_file(manifest))
    load_configuration(station_file('composition: single'))
    for composition in ('single', '[[policy_executor, reward_classifier]]'):
        with pytest.raises(ConfigurationError, match='policy_executor loads controllers'):
            load_configuration(station_file(f'{manifest}\ncomposition: {composition}'))


def test_overrides_win_over_the_file_and_none_leaves_it(station_file: StationFile) -> None:
    file = station_file('pace: scaled\nspeed: 2\nstation: left_lab')
    configuration = load_configuration(file, pace='lockstep', speed=None, run='elsewhere')
    assert configuration.pace == 'lockstep'
    assert configuration.speed == 2.0
    assert configuration.run == Path('elsewhere').absolute()
    assert configuration.namespace == '/left_lab'


def test_files_are_found_relative_to_the_station_file(
    station_file: StationFile, tmp_path: Path
) -> None:
    (tmp_path / 'more.yaml').write_text('/**/driver: {ros__parameters: {jpeg_quality: 50}}')
    configuration = load_configuration(station_file('parameter_files: [more.yaml]'))
    assert configuration.parameters['driver'] == {'jpeg_quality': 50}


def test_the_manifest_is_found_beside_the_file_or_where_a_person_is(
    station_file: StationFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load_configuration(station_file()).manifest is None
    (tmp_path / 'manifest.json').write_text('{}')
    file = station_file('manifest: manifest.json')
    assert load_configuration(file).manifest == tmp_path / 'manifest.json'
    elsewhere = tmp_path / 'elsewhere'
    elsewhere.mkdir()
    (elsewhere / 'mine.json').write_text('{}')
    monkeypatch.chdir(elsewhere)
    assert load_configuration(file, manifest='mine.json').manifest == elsewhere / 'mine.json'


@pytest.mark.parametrize(
    ('text', 'key', 'reason'),
    [
        ('pace: fast', 'pace', "'fast' is not one of realtime, scaled, lockstep"),
        ('speed: 0', 'speed', 'not within 0.1 ... 20'),
        ('speed: .nan', 'speed', 'not within'),
        ('seed: -1', 'seed', 'not within'),
        ('seed: 1.5', 'seed', 'must be a whole number'),
        ('station: 1st', 'station', 'no ROS name'),
        ('task: pin_insertoin', 'task', 'not one of'),
        ('nodes: [driver, gate]', 'nodes', "'gate' is unknown"),
        ('nodes: [driver, driver]', 'nodes', 'twice'),
        ('nodes: []', 'nodes', 'names no node'),
        ('composition: together', 'composition', "'together' is neither"),
        ('composition: [driver]', 'composition', 'list of lists'),
        ('composition: [[driver], [drivr]]', 'composition', 'did you mean driver?'),
        ('composition: [[driver], [driver]]', 'composition', 'in two groups'),
        ('respawn: {delay: -1}', 'respawn.delay', 'not within'),
        ('respawn: {tries: 3}', 'respawn.tries', 'is unknown'),
        ('parameters: {gate: {}}', 'parameters.gate', 'is unknown'),
        ('parameters: {driver: {seed: 3}}', 'parameters.driver.seed', 'whole station'),
        ('parameters: {driver: {a: []}}', 'parameters.driver.a', 'not empty'),
        ('parameters: {driver: {a: null}}', 'parameters.driver.a', 'no parameter value'),
        ('parameters: {driver: {a: [1, x]}}', 'parameters.driver.a', 'one type'),
        ('remappings: {all: {a: 1}}', 'remappings.all.a', 'a name to a name'),
        ('parameter_files: [nowhere.yaml]', 'parameter_files', 'there is no file'),
        ('driver: real', 'driver', 'not one of simulated, external'),
        ('driver: external\nnodes: [driver]', 'nodes', 'starts no driver'),
        ('driver: external\npace: scaled', 'pace', 'realtime only'),
        ('manifest: nowhere.json', 'manifest', 'there is no file'),
        ('parameters: {trial_runner: {manifest: x}}', 'parameters.trial_runner.manifest', 'top'),
        ('colour: red', 'colour', 'is unknown'),
    ],
)
def test_mistakes_name_file_key_and_reason(
    station_file: StationFile, text: str, key: str, reason: str
) -> None:
    file = station_file(text)
    with pytest.raises(ConfigurationError) as caught:
        load_configuration(file)
    assert caught.value.source == str(file)
    assert caught.value.key == key
    assert reason in caught.value.reason


def test_a_missing_file_of_the_station_is_named(write: Callable[..., Path]) -> None:
    with pytest.raises(ConfigurationError, match=r'files\.station: there is no file .*cams\.yaml'):
        load_configuration(write('files: {station: cams.yaml}'))


def test_an_unknown_station_lists_those_that_ship() -> None:
    with pytest.raises(ConfigurationError, match='did you mean station_1'):
        load_configuration('station1')


@pytest.mark.parametrize(
    ('overrides', 'reason'),
    [
        ({'parameters': {'gate': {'a': 1}}}, 'no such node is started'),
        ({'parameters': {'safety_gate': {'pace': 'scaled'}}}, 'belongs to the whole station'),
        ({'pace': 3}, 'must be a text'),
        ({'spede': 2.0}, 'did you mean speed'),
    ],
)
def test_wrong_overrides_are_refused(
    station_file: StationFile, overrides: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ConfigurationError, match=reason):
        load_configuration(station_file(), **overrides)


def test_parameters_merge_and_nest(station_file: StationFile) -> None:
    file = station_file('parameters: {driver: {noise: {drift_sd: 0.001, pose_sd: 0.0}}}')
    configuration = load_configuration(file, parameters={'driver': {'noise.drift_sd': 0.004}})
    assert configuration.parameters['driver'] == {'noise.drift_sd': 0.004, 'noise.pose_sd': 0.0}
    assert configuration.meant['driver'] == ('noise.drift_sd', 'noise.pose_sd')


def test_groups_keep_the_order_of_starting_and_the_rest_alone(station_file: StationFile) -> None:
    text = 'composition: [[trial_runner, trial_recorder], [reward_classifier, scene_reset]]'
    groups = load_configuration(station_file(text)).groups
    assert [group[0] for group in groups[:2]] == ['driver', 'safety_gate']
    assert ('reward_classifier', 'scene_reset') in groups
    assert sorted(name for group in groups for name in group) == sorted(NODES)


@pytest.mark.parametrize('composition', ['separate', 'grouped', 'default'])
def test_the_gate_is_alone_in_its_process(station_file: StationFile, composition: str) -> None:
    assert ('safety_gate',) in load_configuration(station_file(), composition=composition).groups


def test_a_part_of_a_station_keeps_the_order(station_file: StationFile) -> None:
    configuration = load_configuration(station_file(), nodes=['safety_gate', 'driver'])
    assert configuration.nodes == ('driver', 'safety_gate')
    assert configuration.groups == (('driver',), ('safety_gate',))


def test_an_external_driver_is_not_started(station_file: StationFile) -> None:
    configuration = load_configuration(station_file('driver: external'))
    assert 'driver' not in configuration.nodes
    assert len(configuration.nodes) == len(NODES) - 1
