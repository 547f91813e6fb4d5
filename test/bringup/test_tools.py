"""The configuration of rqt, the diagnostics aggregator and rosbag2 fits the station."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

import enpire_nodes
from enpire_nodes.bringup.configuration import load_configuration
from enpire_nodes.bringup.table import NODES

CONFIG = Path(enpire_nodes.__file__).parents[1] / 'config'
SPACE = '/station_1/'


def imported(group: dict[str, Any]) -> dict[str, Any]:
    """Read a perspective as rqt imports it: every value is the repr of a literal."""
    assert group.keys() == {'keys', 'groups'}
    values = {}
    for key, value in group['keys'].items():
        assert value['type'] == 'repr'
        values[key] = ast.literal_eval(value['repr'])
    return values | {name: imported(sub) for name, sub in group['groups'].items()}


@pytest.fixture(scope='module')
def plugins() -> dict[str, Any]:
    perspective = imported(json.loads((CONFIG / 'enpire.perspective').read_text()))
    return perspective['pluginmanager']


def test_the_perspective_opens_what_a_station_needs(plugins: dict[str, Any]) -> None:
    running = plugins['running-plugins']
    assert running['rqt_image_view/ImageView'] == [1, 2, 3]
    for name in ('rqt_robot_monitor/RobotMonitor', 'rqt_reconfigure/Param', 'rqt_plot/Plot',
                 'rqt_console/Console'):  # fmt: skip
        assert running[name]
    instances = {
        f'plugin__{name.replace("/", "__")}__{number}'
        for name, numbers in running.items()
        for number in numbers
    }
    assert instances == plugins.keys() - {'running-plugins'}


def test_the_pictures_shown_are_of_cameras_that_exist(plugins: dict[str, Any]) -> None:
    cameras = yaml.safe_load((CONFIG / 'stations' / 'simulated.yaml').read_text())['cameras']
    shown = {plugins[f'plugin__rqt_image_view__ImageView__{n}']['plugin']['topic'] for n in (1, 2)}
    assert shown == {f'{SPACE}camera/{name}/image_raw' for name in cameras}


def test_the_idea_tree_is_shown(plugins: dict[str, Any]) -> None:
    view = plugins['plugin__rqt_image_view__ImageView__3']['plugin']
    assert view['topic'] == f'{SPACE}idea_tree'


@pytest.mark.ros
def test_what_is_plotted_are_numeric_fields(plugins: dict[str, Any]) -> None:
    messages = pytest.importorskip('enpire_msgs.msg')
    fields = messages.StationState.get_fields_and_field_types()
    topics = plugins['plugin__rqt_plot__Plot__1']['plugin']['topics']
    for topic in topics:
        prefix, name = topic.rsplit('/', 1)
        assert prefix == f'{SPACE}station_state'
        assert fields[name] == 'double'


def test_the_aggregator_expects_every_node_once_and_safety_apart() -> None:
    content = yaml.safe_load((CONFIG / 'diagnostics_aggregator.yaml').read_text())
    parameters = content['analyzers']['ros__parameters']
    assert parameters['critical'] is True
    analyzers = parameters['station_1']['analyzers']
    assert analyzers['safety']['expected'] == [f'{SPACE}safety_gate']
    expected = [name for analyzer in analyzers.values() for name in analyzer['expected']]
    assert sorted(expected) == sorted(f'{SPACE}{name}' for name in NODES)
    for analyzer in analyzers.values():
        assert analyzer['startswith'] == analyzer['expected']


@pytest.mark.ros
def test_the_qos_overrides_are_those_of_the_latched_topics() -> None:
    qos = pytest.importorskip('enpire_nodes.ros.qos')
    overrides = yaml.safe_load((CONFIG / 'qos_overrides.yaml').read_text())
    assert all(topic.startswith(SPACE) for topic in overrides)
    assert {'safety_state', 'station_state'} <= {topic.rsplit('/')[-1] for topic in overrides}
    for profile in overrides.values():
        assert profile['durability'] == qos.LATCHED.durability.name.lower()
        assert profile['reliability'] == qos.LATCHED.reliability.name.lower()
        assert profile['depth'] == qos.LATCHED.depth


@pytest.mark.parametrize('number', range(1, 9))
def test_the_shared_parameters_reach_every_station(number: int) -> None:
    configuration = load_configuration(station=f'station_{number}')
    assert configuration.parameters['policy_executor']['controller'] == 'spiral_search'
