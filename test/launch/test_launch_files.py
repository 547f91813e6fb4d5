"""What the launch files build, with the real launch where it is installed or a stand-in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import launch_double
import pytest

import enpire_nodes
from enpire_nodes.bringup.arguments import configuration_from_text, STATION_ARGUMENTS
from enpire_nodes.bringup.configuration import ConfigurationError, load_configuration
from enpire_nodes.bringup.nodes import station_nodes, station_processes

pytest.importorskip('rclpy')
LAUNCH = Path(enpire_nodes.__file__).parents[1] / 'launch'


@pytest.fixture
def publishers() -> Iterator[list[launch_double.Publisher]]:
    with launch_double.double() as publishers:
        yield publishers


def context(**values: str) -> SimpleNamespace:
    defaults = {argument.name: argument.default for argument in STATION_ARGUMENTS}
    return SimpleNamespace(launch_configurations=defaults | values, is_shutdown=False)


def started(run: Path, **values: str) -> tuple[list[Any], list[Any]]:
    module = launch_double.load(LAUNCH / 'station.launch.py')
    actions = module.start_station(context(run=str(run), **values))
    nodes = [action for action in actions if action.kind == 'Node']
    return nodes, [action for action in actions if action.kind == 'RegisterEventHandler']


def test_every_argument_is_described_and_finite_ones_have_choices(publishers: list) -> None:
    description = launch_double.load(LAUNCH / 'station.launch.py').generate_launch_description()
    *declared, start = description.args[0]
    assert {action.kind for action in declared} == {'DeclareLaunchArgument'}
    assert start.kind == 'OpaqueFunction'
    by_name = {action.args[0]: action.kwargs for action in declared}
    assert all(len(kwargs['description']) > 20 for kwargs in by_name.values())
    for name in ('pace', 'composition', 'own_clock'):
        assert by_name[name]['default_value'] in by_name[name]['choices']


@pytest.mark.parametrize('composition', ['separate', 'grouped', 'single'])
def test_the_nodes_are_those_that_enpire_up_starts(
    publishers: list, tmp_path: Path, composition: str
) -> None:
    nodes, _ = started(tmp_path, composition=composition, station='station_3', pace='lockstep')
    wanted = station_processes(
        station_nodes(
            load_configuration(
                run=tmp_path, composition=composition, station='station_3', pace='lockstep'
            )
        )
    )
    assert [node.kwargs['executable'] for node in nodes] == [one.executable for one in wanted]
    assert [node.kwargs['arguments'] for node in nodes] == [list(one.arguments) for one in wanted]
    assert {node.kwargs['namespace'] for node in nodes} == {'/station_3'}
    assert {node.kwargs['package'] for node in nodes} == {'enpire'}
    for node, process in zip(nodes, wanted, strict=True):
        alone = process.nodes[0].name if len(process.nodes) == 1 else None
        assert node.kwargs['name'] == alone
        assert node.kwargs['parameters'] == [str(tmp_path / 'log' / 'parameters.yaml')]
    assert '/station_3/safety_gate' in (tmp_path / 'log' / 'parameters.yaml').read_text()


def test_respawn_is_mapped(publishers: list, tmp_path: Path) -> None:
    nodes, _ = started(tmp_path)
    for node in nodes:
        assert node.kwargs['respawn'] is True
        assert node.kwargs['respawn_delay'] == 0.5
        assert node.kwargs['respawn_max_retries'] == 5


def test_a_death_is_announced_on_the_station_s_heartbeats(
    publishers: list[launch_double.Publisher], tmp_path: Path
) -> None:
    nodes, handlers = started(tmp_path, composition='grouped')
    assert len(handlers) == len(nodes)
    index = max(i for i, node in enumerate(nodes) if node.kwargs['arguments'])  # of a group
    (handler,) = handlers[index].args
    assert handler.kwargs['target_action'] is nodes[index]
    handler.kwargs['on_exit'](SimpleNamespace(returncode=-9), context())
    (publisher,) = publishers
    assert publisher.topic == '/station_1/heartbeats'
    assert [message.node for message in publisher.messages] == [
        f'/station_1/{name}' for name in nodes[index].kwargs['arguments']
    ]
    assert {message.message for message in publisher.messages} == {
        'its process was killed by SIGKILL'
    }


def test_nothing_is_announced_while_everything_is_shut_down(
    publishers: list[launch_double.Publisher], tmp_path: Path
) -> None:
    _, handlers = started(tmp_path)
    ending = SimpleNamespace(is_shutdown=True)
    handlers[0].args[0].kwargs['on_exit'](SimpleNamespace(returncode=0), ending)
    assert publishers[0].messages == []


@pytest.mark.parametrize('count', [1, 8])
def test_a_fleet_is_stations_that_share_nothing(publishers: list, count: int) -> None:
    module = launch_double.load(LAUNCH / 'fleet.launch.py')
    *declared, _ = module.generate_launch_description().args[0]
    assert all(action.kwargs['description'] for action in declared)
    given = {'stations': str(count), 'configuration': 'station_1', 'runs': 'runs'}
    groups = module.start_fleet(SimpleNamespace(launch_configurations=given))
    assert len(groups) == count
    includes = [dict(group.args[0][0].kwargs['launch_arguments']) for group in groups]
    known = {argument.name for argument in STATION_ARGUMENTS}
    for include in includes:
        assert include.keys() <= known
        configuration_from_text(include)
    for name in ('station', 'run', 'seed'):
        assert len({include[name] for include in includes}) == count


@pytest.mark.parametrize(
    ('values', 'reason'),
    [
        ({'speed': 'fast'}, 'speed:=fast'),
        ({'seed': '1.5'}, 'seed:=1.5'),
        ({'own_clock': 'maybe'}, 'own_clock:=maybe'),
        ({'task': 'juggling'}, "'juggling' is not one of"),
    ],
)
def test_text_that_does_not_fit_is_refused(values: dict[str, str], reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason):
        configuration_from_text(values)
