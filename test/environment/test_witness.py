"""What a node tells of itself, and that nobody else can make it tell something else."""

import pytest
from rcl_interfaces.srv import GetParameters, SetParameters
from rclpy.parameter import Parameter, parameter_value_to_python

from enpire_nodes.environment.contract import identity
from enpire_nodes.environment.contract.identity import code_digest, told_libraries
from enpire_nodes.environment.witness import Witness
from enpire_nodes.ros.node import StationNode

pytestmark = pytest.mark.ros


class _Node(StationNode):
    def __init__(self, **arguments) -> None:
        super().__init__('scene_reset', **arguments)
        self.witness = Witness(self)

    def configure(self) -> None:
        self.witness.tell('s' * 64)


@pytest.fixture
def node(ros) -> _Node:
    node = ros.make(_Node)
    ros.wait_until(lambda: node.active)
    return node


def told(ros) -> list:
    request = GetParameters.Request(names=['code_digest', 'settings_digest', 'libraries'])
    answer = ros.call(GetParameters, '/station_1/scene_reset/get_parameters', request)
    code, settings, libraries = (parameter_value_to_python(value) for value in answer.values)
    return [code, settings, list(libraries)]


def test_a_node_tells_its_code_its_settings_and_its_libraries(ros, node):
    assert told(ros) == [code_digest(), 's' * 64, told_libraries()]
    assert len(code_digest()) == 64


def test_a_node_tells_nothing_before_it_is_configured(ros):
    ros.make(_Node, autostart=False)
    assert told(ros) == ['', '', ['']]


def test_what_is_imported_while_a_node_is_configured_is_looked_at(ros, monkeypatch):
    class Late(_Node):
        def configure(self) -> None:
            monkeypatch.setattr(identity, 'process_problems', lambda code: ['numpy from /evil'])

    node = ros.make(Late)
    ros.wait_until(lambda: node.active)
    assert told(ros)[0] == 'numpy from /evil'


@pytest.mark.parametrize(
    ('name', 'value'),
    [('code_digest', 'forged'), ('settings_digest', 'forged'), ('libraries', ['forged'])],
)
def test_nobody_else_sets_what_it_tells(ros, node, name, value):
    before = told(ros)
    request = SetParameters.Request(parameters=[Parameter(name, value=value).to_parameter_msg()])
    answer = ros.call(SetParameters, '/station_1/scene_reset/set_parameters', request)
    assert not answer.results[0].successful
    assert answer.results[0].reason == f'{name} says what is; the node alone sets it'
    assert told(ros) == before


def test_a_parameter_file_does_not_speak_for_the_node(ros):
    forged = {'code_digest': 'forged', 'settings_digest': 'forged', 'libraries': ['forged']}
    node = ros.make(_Node, **forged)
    ros.wait_until(lambda: node.active)
    assert told(ros) == [code_digest(), 's' * 64, told_libraries()]
