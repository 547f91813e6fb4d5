"""Nodes are asked for their parameters, whatever these are, and whether they have them or not."""

from __future__ import annotations

import pytest
from rclpy.parameter import Parameter
from station_doubles import Doubles

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout import witnesses as module
from enpire_nodes.rollout.station_client import Deadlines, StationClient
from enpire_nodes.rollout.witnesses import NodeWitnesses

pytestmark = pytest.mark.ros

VALUES = {'words': ['left', 'right'], 'numbers': [1.5, 2.0], 'count': 3, 'on': True, 'name': ''}


@pytest.fixture
def partners(ros) -> Doubles:
    return Doubles(ros, without=('driver', 'executor', 'judge', 'recorder'))


@pytest.fixture
def witnesses(ros, partners):
    client = ros.within(
        lambda: StationClient(
            ros.node, partners=('safety_gate',), deadlines=Deadlines(), lost_after=5.0
        ),
    )
    ros.wait_until(lambda: client.presence.roster(), what='the heartbeat of the gate')
    nodes = ('safety_gate', 'scene_reset')
    witnesses = ros.within(lambda: NodeWitnesses(client, nodes))
    yield witnesses
    ros.within(witnesses.destroy)
    ros.within(client.destroy)


def test_every_kind_of_value_comes_as_it_is(ros, partners, witnesses):
    def declare() -> None:
        for name, value in VALUES.items():
            partners.reset.declare_parameter(name, value)

    ros.within(declare)
    assert witnesses.tell('scene_reset', tuple(VALUES)) == VALUES


def test_a_node_that_lacks_a_parameter_tells_nothing(witnesses):
    assert witnesses.tell('scene_reset', ('autostart', 'code_digest')) == {}
    assert witnesses.tell('scene_reset', ('autostart',)) == {'autostart': True}


def test_the_gate_is_asked_when_it_has_spoken(witnesses):
    witnesses.tell('safety_gate', ('autostart',))
    assert witnesses.limits_digest == 'limits'


def test_a_node_that_was_just_started_is_waited_for(ros, partners, witnesses):
    def declare() -> None:
        partners.reset.declare_parameter('code_digest', '')
        started = partners.reset.create_steady_timer(0.2, configured)
        timers.append(started)

    def configured() -> None:
        partners.reset.set_parameters([Parameter('code_digest', value='c' * 64)])

    timers = []
    ros.within(declare)
    assert witnesses.tell('scene_reset', ('code_digest',)) == {'code_digest': 'c' * 64}


def test_a_node_that_is_never_configured_is_not_waited_for_for_ever(
    ros, partners, witnesses, monkeypatch
):
    monkeypatch.setattr(module, '_DEADLINE', 0.3)
    ros.within(lambda: partners.reset.declare_parameter('code_digest', ''))
    assert witnesses.tell('scene_reset', ('code_digest',)) == {'code_digest': ''}


def test_a_node_that_does_not_answer_is_not_waited_for_for_ever(partners, witnesses, monkeypatch):
    monkeypatch.setattr(module, '_DEADLINE', 0.5)
    partners.kill('reset')
    with pytest.raises(StationError, match='scene_reset') as caught:
        witnesses.tell('scene_reset', ('autostart',))
    assert caught.value.code is ErrorCode.RUNNER_STAGE_TIMEOUT
