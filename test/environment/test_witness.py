"""What a node tells of itself, and that nobody else can make it tell something else."""

import pytest
from rcl_interfaces.srv import GetParameters, SetParameters
from rclpy.parameter import Parameter

from enpire_nodes.environment.contract.identity import code_digest
from enpire_nodes.environment.witness import Witness
from enpire_nodes.ros.node import StationNode

pytestmark = pytest.mark.ros


class _Node(StationNode):
    def __init__(self, **arguments) -> None:
        super().__init__('scene_reset', **arguments)
        self.witness = Witness(self)

    def configure(self) -> None:
        self.witness.tell('s' * 64)


def told(ros) -> list[str]:
    request = GetParameters.Request(names=['code_digest', 'settings_digest'])
    answer = ros.call(GetParameters, '/station_1/scene_reset/get_parameters', request)
    return [value.string_value for value in answer.values]


def test_a_node_tells_its_code_and_its_settings(ros):
    node = ros.make(_Node)
    ros.wait_until(lambda: node.active)
    assert told(ros) == [code_digest(), 's' * 64]
    assert len(code_digest()) == 64


@pytest.mark.parametrize('name', ['code_digest', 'settings_digest'])
def test_nobody_else_sets_what_it_tells(ros, name):
    node = ros.make(_Node)
    ros.wait_until(lambda: node.active)
    before = told(ros)
    request = SetParameters.Request(
        parameters=[Parameter(name, value='forged').to_parameter_msg()]
    )
    answer = ros.call(SetParameters, '/station_1/scene_reset/set_parameters', request)
    assert not answer.results[0].successful
    assert told(ros) == before


@pytest.mark.parametrize('name', ['code_digest', 'settings_digest'])
def test_a_parameter_file_does_not_speak_for_the_node(ros, name):
    node = ros.make(_Node, **{name: 'forged'})
    ros.wait_until(lambda: node.active)
    assert told(ros) == [code_digest(), 's' * 64]
