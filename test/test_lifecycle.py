"""Every node of a station can be put to rest, cleaned up, and brought back, as a manager would."""

from __future__ import annotations

from collections import Counter
from importlib import import_module
from pathlib import Path

import pytest

pytest.importorskip('rclpy')

from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState

from enpire_msgs.msg import Heartbeat
from enpire_nodes.bringup.configuration import load_configuration
from enpire_nodes.bringup.nodes import station_nodes
from enpire_nodes.bringup.table import NODES
from enpire_nodes.ros import qos

pytestmark = [pytest.mark.ros, pytest.mark.egl]

SEQUENCE = (
    (Transition.TRANSITION_DEACTIVATE, Heartbeat.INACTIVE),
    (Transition.TRANSITION_CLEANUP, Heartbeat.INACTIVE),
    (Transition.TRANSITION_CONFIGURE, Heartbeat.INACTIVE),
    (Transition.TRANSITION_ACTIVATE, Heartbeat.ACTIVE),
)


def entities(ros, node) -> Counter[tuple[str, str]]:
    """Count what a node has in the graph by kind and name, in the thread that may change it."""

    def count() -> Counter[tuple[str, str]]:
        return Counter(
            [('publisher', one.topic_name) for one in node.publishers]
            + [('subscription', one.topic_name) for one in node.subscriptions]
            + [('service', one.service_name) for one in node.services]
            + [('client', one.service_name) for one in node.clients]
            + [('timer', '') for _ in node.timers]
        )

    return ros.within(count)


def is_back(now: Counter[tuple[str, str]], before: Counter[tuple[str, str]]) -> bool:
    """Whether all is there again and nothing twice; a recorder may have found further topics."""
    found = now - before
    return before <= now and all(
        kind == 'subscription' and not before[kind, name] for kind, name in found
    )


@pytest.mark.parametrize('name', list(NODES))
def test_a_node_comes_back_as_it_was(ros, tmp_path: Path, name: str) -> None:
    specs = station_nodes(load_configuration(run=tmp_path))
    (spec,) = [spec for spec in specs if spec.name == name]
    module, _, kind = NODES[name].location.partition(':')
    beats = ros.collect(Heartbeat, 'heartbeats', qos.HEARTBEATS)
    node = ros.make(getattr(import_module(module), kind), **spec.parameters)
    try:
        ros.wait_until(lambda: node.active, 30.0, f'{name} is active')
        before = entities(ros, node)
        for transition, shown in SEQUENCE:
            request = ChangeState.Request(transition=Transition(id=transition))
            answer = ros.call(ChangeState, f'{name}/change_state', request, timeout=30.0)
            assert answer.success
            beats.clear()
            ros.wait_until(lambda: beats, what='a heartbeat')
            assert beats[-1].state == shown
            assert node.active == (shown == Heartbeat.ACTIVE)
            if transition == Transition.TRANSITION_CLEANUP:
                bare = entities(ros, node)
                assert bare <= before
                assert bare != before, 'it leaves what it had opened'
        ros.wait_until(lambda: is_back(entities(ros, node), before), what=f'{before} again')
    finally:
        shut = Transition.TRANSITION_ACTIVE_SHUTDOWN
        request = ChangeState.Request(transition=Transition(id=shut))
        ros.call(ChangeState, f'{name}/change_state', request, timeout=30.0)
