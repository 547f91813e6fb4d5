"""The gate stops the arms when any node of the station is said to be dead."""

from __future__ import annotations

import time

import pytest

from enpire_msgs.msg import Heartbeat, SafetyState
from enpire_nodes.common.errors import ErrorCode
from enpire_nodes.ros import qos

from .test_safety_gate import Station, time_of_hold

pytestmark = pytest.mark.ros
RUNNER = '/station_1/trial_runner'
DEAD = 'its process was killed by SIGKILL'


@pytest.fixture
def station(ros, tmp_path) -> Station:
    station = Station(ros, tmp_path)
    station.mouth = ros.node.create_publisher(Heartbeat, 'heartbeats', qos.HEARTBEATS)
    return station


def say(station: Station, state: int, *, node: str = RUNNER, message: str = DEAD) -> None:
    station.mouth.publish(Heartbeat(node=node, incarnation=9, state=state, message=message))


def test_the_death_of_a_node_that_moves_nothing_holds_the_arms_at_once(station):
    station.pass_commands()
    said = time.monotonic()
    say(station, Heartbeat.FAULTED)
    state = station.wait_mode(SafetyState.TRIPPED, code=ErrorCode.RUNNER_NODE_LOST)
    assert RUNNER in state.message
    assert DEAD in state.message
    station.assert_held()
    assert time_of_hold(station.driver) - said < 0.2


def test_the_same_fault_does_not_trip_the_next_lease(station):
    station.pass_commands()
    say(station, Heartbeat.FAULTED)
    station.wait_mode(SafetyState.TRIPPED)
    station.commander.engage()
    station.wait_mode(SafetyState.PASSING)
    say(station, Heartbeat.FAULTED)
    time.sleep(0.3)
    assert station.states[-1].mode == SafetyState.PASSING


def test_a_node_that_came_back_may_die_again(station):
    station.pass_commands()
    say(station, Heartbeat.FAULTED)
    station.wait_mode(SafetyState.TRIPPED)
    say(station, Heartbeat.ACTIVE, message='')
    station.commander.engage()
    station.wait_mode(SafetyState.PASSING)
    say(station, Heartbeat.FAULTED)
    station.wait_mode(SafetyState.TRIPPED, code=ErrorCode.RUNNER_NODE_LOST)


def test_the_words_of_the_dead_are_no_sign_of_life(station):
    station.pass_commands()
    driver = station.driver.get_fully_qualified_name()
    before = station.gate._gate._heartbeats.incarnation(driver)
    say(station, Heartbeat.FAULTED, node=driver)
    station.wait_mode(SafetyState.TRIPPED, code=ErrorCode.RUNNER_NODE_LOST)
    assert station.gate._gate._heartbeats.incarnation(driver) == before
