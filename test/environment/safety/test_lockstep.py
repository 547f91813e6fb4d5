"""The gate of a station that waits for every command."""

from __future__ import annotations

import numpy as np
import pytest

from .conftest import HOME


def assert_answers(targets, stamp: float) -> None:
    assert sorted(target.arm for target in targets) == ['left', 'right']
    assert {target.stamp for target in targets} == {stamp}


def test_without_a_lease_every_tick_is_answered_at_once(lockstep):
    for _ in range(5):
        assert_answers(lockstep.sense(), lockstep.stamp)
        assert lockstep.gate.tick() == []


def test_with_a_lease_a_tick_is_answered_when_every_leased_arm_is(lockstep):
    lockstep.start(arms=('left', 'right'))
    for step in range(5):
        assert lockstep.sense() == []
        assert lockstep.gate.tick() == []
        target = HOME + [0.0, 0.0, 0.001 * step]
        assert lockstep.send(target, arm='right') == []
        targets = lockstep.send(target, arm='left')
        assert_answers(targets, lockstep.stamp)
        for answer in targets:
            np.testing.assert_allclose(answer.command.position, target)
        assert lockstep.gate.tick() == []


def test_the_arm_without_a_lease_is_held(lockstep):
    lockstep.start()
    lockstep.sense()
    targets = lockstep.send(HOME + [0.002, 0.0, 0.0])
    assert_answers(targets, lockstep.stamp)
    left = next(target for target in targets if target.arm == 'left')
    np.testing.assert_allclose(left.command.position, HOME)


def test_a_command_may_be_faster_than_the_states_it_answers(lockstep):
    lockstep.start()
    lockstep.send(HOME)
    assert lockstep.send(HOME + [0.002, 0.0, 0.0], stamp=lockstep.stamp + 0.01) == []
    targets = lockstep.sense()
    assert_answers(targets, lockstep.stamp)
    right = next(target for target in targets if target.arm == 'right')
    np.testing.assert_allclose(right.command.position, HOME + [0.002, 0.0, 0.0])


def test_a_command_for_a_tick_that_is_over_is_ignored(lockstep):
    lockstep.start()
    assert lockstep.send(HOME + [0.002, 0.0, 0.0]) == []  # the tick was answered by a hold
    lockstep.sense()
    assert lockstep.send(HOME, stamp=lockstep.stamp - 0.01) == []
    assert_answers(lockstep.send(HOME), lockstep.stamp)
    assert lockstep.gate.status.refused == 0


@pytest.mark.parametrize(
    'end',
    [
        lambda station: station.release(),
        lambda station: station.gate.estop('test'),
        lambda station: station.gate.deactivate(),
        lambda station: station.beat(driver=False, incarnation=2),
        lambda station: station.beat(commander=False, incarnation=2),
        lambda station: station.send([np.nan, 0.0, 0.0]),
        lambda station: station.send(HOME + [0.0, 0.16, 0.0]),
    ],
)
def test_whatever_ends_the_lease_answers_the_open_tick_with_a_hold(lockstep, end):
    lockstep.start()
    assert lockstep.sense() == []
    targets = end(lockstep)
    assert_answers(targets, lockstep.stamp)
    for target in targets:
        np.testing.assert_allclose(target.command.position, HOME, atol=1e-9)


def test_a_violation_of_one_arm_holds_both(lockstep):
    lockstep.start(arms=('left', 'right'))
    lockstep.sense()
    lockstep.send(HOME + [0.002, 0.0, 0.0], arm='left')
    targets = lockstep.send(HOME + [0.0, 0.16, 0.0], arm='right')
    assert_answers(targets, lockstep.stamp)
    for target in targets:
        np.testing.assert_allclose(target.command.position, HOME)


def test_a_holder_has_its_time_and_then_time_goes_on(lockstep):
    lockstep.start()
    assert lockstep.sense() == []
    lockstep.now += 0.09
    assert lockstep.gate.tick() == []
    lockstep.now += 0.02
    assert_answers(lockstep.gate.tick(), lockstep.stamp)
    assert lockstep.code == 'GATE_COMMAND_STALE'
    assert_answers(lockstep.sense(), lockstep.stamp)


def test_waiting_for_the_holder_is_not_the_drivers_silence(lockstep):
    lockstep.start()
    lockstep.sense()
    lockstep.now += 0.09
    lockstep.gate.tick()
    assert lockstep.mode == 'PASSING'
    lockstep.send(HOME)
    lockstep.now += 0.19
    lockstep.gate.tick()
    assert lockstep.mode == 'PASSING'
    lockstep.now += 0.02
    lockstep.gate.tick()
    assert lockstep.code == 'GATE_DRIVER_STALE'


def test_a_repeated_tick_is_answered_again_but_only_after_a_while(lockstep):
    answer = lockstep.sense()
    assert lockstep.gate.observe(lockstep.states) == []
    lockstep.now += 0.25
    assert lockstep.gate.observe(lockstep.states) == answer
    assert lockstep.gate.observe(lockstep.states) == []


def test_a_repeated_tick_that_waits_for_its_command_goes_on_waiting(lockstep):
    lockstep.start()
    lockstep.sense()
    lockstep.now += 0.05
    assert lockstep.gate.observe(lockstep.states) == []
    assert_answers(lockstep.send(HOME), lockstep.stamp)


@pytest.mark.parametrize('how', ['heartbeat', 'stamps'])
def test_a_driver_that_came_back_is_held_where_it_is_now(lockstep, how):
    lockstep.start()
    lockstep.sense()
    lockstep.send(HOME)
    moved = HOME + [0.0, 0.1, 0.0]
    if how == 'stamps':
        lockstep.stamp = -1.0
        targets = lockstep.sense(position=moved)
    else:
        assert lockstep.sense(position=moved) == []
        targets = lockstep.beat(commander=False, incarnation=2)
    assert lockstep.code == 'GATE_DRIVER_STALE'
    assert_answers(targets, lockstep.stamp)
    right = next(target for target in targets if target.arm == 'right')
    np.testing.assert_allclose(right.command.position, moved)


def test_speed_is_measured_by_the_stations_clock(lockstep):
    """A tick may take long on the wall: the step still is that of one control period."""
    lockstep.start()
    lockstep.sense(after=1 / 30)
    lockstep.send(HOME)
    for _ in range(5):
        lockstep.sense(after=1 / 30)
        lockstep.now += 0.08
        targets = lockstep.send(HOME + [0.0, 0.0, 0.2 * lockstep.stamp])
    right = next(target for target in targets if target.arm == 'right')
    assert right.command.position[2] <= HOME[2] + 0.3 * (0.1 + 6 / 30)


def test_a_second_answer_to_a_tick_trips(lockstep):
    lockstep.start()
    lockstep.sense()
    assert_answers(lockstep.send(HOME), lockstep.stamp)
    assert lockstep.send(HOME) == []  # the same once more is no second opinion
    assert lockstep.mode == 'PASSING'
    lockstep.send(HOME + [0.001, 0.0, 0.0])
    assert lockstep.code == 'GATE_LEASE_CONFLICT'
    assert_answers(lockstep.sense(), lockstep.stamp)


def test_a_second_answer_before_the_other_arm_is_there_trips(lockstep):
    lockstep.start(arms=('left', 'right'))
    lockstep.sense()
    lockstep.send(HOME, arm='right')
    targets = lockstep.send(HOME + [0.001, 0.0, 0.0], arm='right')
    assert lockstep.code == 'GATE_LEASE_CONFLICT'
    assert_answers(targets, lockstep.stamp)
