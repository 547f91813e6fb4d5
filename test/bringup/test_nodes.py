"""One configuration becomes one list of nodes and processes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from enpire_nodes.bringup.configuration import load_configuration
from enpire_nodes.bringup.nodes import (
    NodeSpec,
    ProcessSpec,
    station_nodes,
    station_processes,
    write_parameters,
)
from enpire_nodes.bringup.table import NODES

StationFile = Callable[..., Path]


def by_name(nodes: tuple[NodeSpec, ...]) -> dict[str, NodeSpec]:
    return {node.name: node for node in nodes}


def processes(**overrides: object) -> tuple[ProcessSpec, ...]:
    return station_processes(station_nodes(load_configuration(**overrides)))


def test_every_node_lives_below_the_namespace() -> None:
    nodes = station_nodes(load_configuration(station='station_5'))
    assert [node.full_name for node in nodes] == [f'/station_5/{name}' for name in NODES]


@pytest.mark.parametrize(('pace', 'simulated'), [('realtime', False), ('lockstep', True)])
def test_pace_and_clock_reach_every_node(pace: str, simulated: bool) -> None:
    for node in station_nodes(load_configuration(pace=pace)):
        assert node.parameters['pace'] == pace
        assert node.parameters['use_sim_time'] is simulated


def test_nodes_get_what_they_need_and_no_more(tmp_path: Path) -> None:
    nodes = by_name(station_nodes(load_configuration(run=tmp_path, seed=9)))
    assert nodes['driver'].parameters['seed'] == 9
    assert nodes['safety_gate'].parameters['run_directory'] == str(tmp_path)
    assert 'seed' not in nodes['policy_executor'].parameters  # a policy must not know it
    assert 'limits_file' not in nodes['scene_reset'].parameters


def test_a_station_with_an_auditor_runs_no_trial_without_it() -> None:
    from enpire_nodes.rollout.runner_parameters import PARAMETERS

    default = next(spec.default for spec in PARAMETERS if spec.name == 'partners')
    runner = by_name(station_nodes(load_configuration()))['trial_runner']
    assert runner.parameters['partners'] == [*default, 'judge_auditor']
    without = [name for name in NODES if name != 'judge_auditor']
    runner = by_name(station_nodes(load_configuration(nodes=without)))['trial_runner']
    assert 'partners' not in runner.parameters
    named = {'trial_runner': {'partners': ['driver']}}
    runner = by_name(station_nodes(load_configuration(parameters=named)))['trial_runner']
    assert runner.parameters['partners'] == ['driver']


def test_the_runner_alone_is_given_the_manifest(tmp_path: Path) -> None:
    manifest = tmp_path / 'manifest.json'
    manifest.write_text('{}')
    nodes = by_name(station_nodes(load_configuration(manifest=manifest)))
    assert nodes['trial_runner'].parameters['manifest'] == str(manifest)
    assert [name for name, node in nodes.items() if 'manifest' in node.parameters] == [
        'trial_runner'
    ]
    assert (
        by_name(station_nodes(load_configuration()))['trial_runner'].parameters['manifest'] == ''
    )


def test_the_judge_is_given_the_weights_that_the_station_names(tmp_path: Path) -> None:
    shipped = load_configuration()
    (tmp_path / 'eyes.npz').write_bytes(b'')
    file = tmp_path / 'station.yaml'
    files = f'station: {shipped.station_file}, limits: {shipped.limits_file}, weights: eyes.npz'
    file.write_text(f'files: {{{files}}}')
    given = by_name(station_nodes(load_configuration(file)))['reward_classifier'].parameters
    assert given['weights_file'] == str(tmp_path / 'eyes.npz')
    assert by_name(station_nodes(shipped))['reward_classifier'].parameters['weights_file'] == ''


def test_all_nodes_work_on_the_same_settings_of_the_task() -> None:
    nodes = station_nodes(load_configuration())
    files = {node.parameters['task_file'] for node in nodes if 'task_file' in node.parameters}
    assert len(files) == 1


def test_a_person_s_value_wins_over_the_derived_one_and_is_marked() -> None:
    nodes = by_name(station_nodes(load_configuration(parameters={'driver': {'state_rate': 50.0}})))
    assert nodes['driver'].parameters['state_rate'] == 50.0
    assert 'state_rate' in nodes['driver'].meant
    assert 'pace' not in nodes['driver'].meant


def test_without_our_driver_the_gate_expects_no_heartbeat(station_file: StationFile) -> None:
    nodes = by_name(station_nodes(load_configuration(station_file('driver: external'))))
    assert nodes['safety_gate'].parameters['driver'] == ''


def test_an_own_clock_is_remapped_in_every_node() -> None:
    for node in station_nodes(load_configuration(own_clock=True, pace='lockstep')):
        assert ('/clock', 'clock') in node.remappings


def test_a_node_alone_runs_its_own_executable() -> None:
    process = processes(composition='separate')[0]
    assert (process.executable, process.arguments) == ('simulated_station', ())


def test_a_group_runs_in_a_container_with_remappings_by_node(station_file: StationFile) -> None:
    file = station_file(
        'nodes: [scene_reset, reward_classifier]\n'
        'composition: [[scene_reset, reward_classifier]]\n'
        'remappings: {all: {a: b}, scene_reset: {c: d}}'
    )
    (process,) = station_processes(station_nodes(load_configuration(file)))
    assert process.executable == 'station_container'
    assert process.arguments == ('scene_reset', 'reward_classifier')
    assert set(process.remappings) == {
        ('scene_reset:a', 'b'), ('scene_reset:c', 'd'), ('reward_classifier:a', 'b')
    }  # fmt: skip


def test_processes_start_in_the_order_of_the_table() -> None:
    assert [process.nodes[0].name for process in processes(composition='separate')] == list(NODES)


def test_the_parameters_of_all_nodes_are_one_readable_file(tmp_path: Path) -> None:
    configuration = load_configuration(run=tmp_path / 'run', station='station_2')
    nodes = station_nodes(configuration)
    file = write_parameters(configuration, nodes)
    content = yaml.safe_load(file.read_text())
    assert content.keys() == {node.full_name for node in nodes}
    for node in nodes:
        assert content[node.full_name]['ros__parameters'] == node.parameters
