"""The gate of a station whose clock runs on."""

from __future__ import annotations

import numpy as np
import pytest

from .conftest import HOME


def arms_of(targets) -> list[str]:
    return sorted(target.arm for target in targets)


def test_nothing_is_published_before_the_first_state(streaming):
    streaming.beat()
    assert streaming.gate.tick() == []
    assert streaming.engage() == []
    assert streaming.mode == 'HOLDING'
    targets = streaming.sense()
    assert arms_of(targets) == ['left', 'right']
    np.testing.assert_allclose(targets[0].command.position, HOME)


def test_a_command_is_forwarded_at_once_with_its_own_stamp(streaming):
    streaming.start()
    (target,) = streaming.send(HOME + [0.003, 0.0, 0.0])
    assert (target.arm, target.stamp) == ('right', streaming.stamp)
    np.testing.assert_allclose(target.command.position, HOME + [0.003, 0.0, 0.0])


def test_while_one_arm_is_moved_the_other_is_held(streaming):
    streaming.start()
    assert arms_of(streaming.gate.tick()) == ['left']
    assert arms_of(streaming.release()) == ['left', 'right']


def test_holds_are_repeated_faster_than_a_driver_loses_patience(streaming):
    streaming.beat()
    streaming.sense()
    times = []
    for _ in range(100):
        streaming.sense()
        if streaming.gate.tick():
            times.append(streaming.now)
    assert len(times) > 20
    assert max(np.diff(times)) < 0.05


def test_a_silent_holder_is_held_within_a_watchdog_period(streaming):
    streaming.start()
    silence, targets = 0.0, []
    while streaming.mode == 'PASSING':
        silence += 0.02
        streaming.sense(after=0.02)
        targets = streaming.gate.tick()
    assert streaming.code == 'GATE_COMMAND_STALE'
    assert silence == pytest.approx(0.12)
    assert arms_of(targets) == ['left', 'right']


def test_a_holder_that_feeds_one_of_two_arms_loses_both(streaming):
    streaming.start(arms=('left', 'right'))
    for _ in range(8):
        streaming.sense(after=0.02)
        streaming.send(arm='left')
        streaming.gate.tick()
    assert streaming.code == 'GATE_COMMAND_STALE'


def test_an_old_command_is_refused_and_too_many_lose_the_lease(streaming):
    streaming.start()
    streaming.sense()
    stamp = streaming.stamp
    for _ in range(4):
        streaming.beat()
        streaming.sense(after=0.09)
        streaming.send(HOME)
    assert streaming.mode == 'PASSING'
    assert streaming.send(HOME + [0.01, 0.0, 0.0], stamp=stamp) == []
    assert streaming.mode == 'PASSING'
    assert '0.36 s old' in streaming.gate.last_refusal.message
    for _ in range(8):
        streaming.sense(after=0.02)
        assert streaming.send(HOME, stamp=stamp) == []
        streaming.gate.tick()
    assert streaming.code == 'GATE_COMMAND_STALE'


@pytest.mark.parametrize('stamp', [0.0, -5.0, 1e9])
def test_a_stamp_of_no_observation_is_refused(streaming, stamp):
    for _ in range(20):
        streaming.beat()
        streaming.sense(after=0.05)
    streaming.engage()
    assert streaming.send(HOME, stamp=stamp) == []
    assert streaming.gate.status.refused == 1


def test_what_the_last_holder_sent_is_not_taken_for_the_next_ones(streaming):
    streaming.start()
    for _ in range(10):
        streaming.sense()
        streaming.send(HOME)
    old = streaming.stamp - 0.05
    streaming.release()
    streaming.engage()
    assert streaming.send(HOME + [0.01, 0.0, 0.0], stamp=old) == []
    assert streaming.mode == 'PASSING'
    assert len(streaming.send(HOME)) == 1


def test_a_driver_that_falls_silent_trips(streaming):
    streaming.start()
    for _ in range(11):
        streaming.now += 0.02
        streaming.beat()
        streaming.send()
        streaming.gate.tick()
    assert streaming.code == 'GATE_DRIVER_STALE'


def test_an_arm_of_a_driver_that_is_gone_is_left_to_its_watchdog(streaming):
    streaming.start()
    began, last = streaming.now, streaming.now
    for _ in range(100):
        streaming.now += 0.02
        if streaming.gate.tick():
            last = streaming.now
    assert last - began == pytest.approx(1.0, abs=0.05)
    moved = HOME + [0.0, 0.1, 0.0]
    targets = streaming.sense(position=moved)
    right = next(target for target in targets if target.arm == 'right')
    np.testing.assert_allclose(right.command.position, moved)


@pytest.mark.parametrize('how', ['heartbeat', 'stamps'])
def test_a_driver_that_came_back_is_held_where_it_is_now(streaming, how):
    streaming.start()
    streaming.sense()
    moved = HOME + [0.0, 0.1, 0.0]
    if how == 'heartbeat':
        assert streaming.beat(commander=False, incarnation=2) == []
        assert streaming.gate.tick() == []
    else:
        streaming.stamp = -1.0
    targets = streaming.sense(position=moved)
    assert streaming.code == 'GATE_DRIVER_STALE'
    right = next(target for target in targets if target.arm == 'right')
    np.testing.assert_allclose(right.command.position, moved)


def test_a_restarted_gate_holds_what_is_measured(streaming):
    streaming.start()
    streaming.sense()
    streaming.send(HOME + [0.01, 0.0, 0.0])
    streaming.restart_gate()
    assert streaming.gate.tick() == []
    targets = streaming.sense(position=HOME + [0.004, 0.0, 0.0])
    right = next(target for target in targets if target.arm == 'right')
    np.testing.assert_allclose(right.command.position, HOME + [0.004, 0.0, 0.0])
    assert streaming.send(HOME) == []
    assert streaming.gate.last_refusal.code.name == 'GATE_NO_LEASE'


def converse(streaming, *, periods: int, commanders: int, stall: float = 0.0) -> None:
    """Let commanders at 30 Hz answer states at 100 Hz, the driver stalling now and then."""
    for period in range(periods):
        for _ in range(commanders):
            if stall and period % 15 < 30 * stall:
                streaming.now += 1 / 30 / commanders
            else:
                for _ in range(3 // commanders):
                    streaming.sense(after=1 / 30 / commanders / (3 // commanders))
            streaming.beat()
            streaming.send(HOME)
            streaming.gate.tick()


@pytest.mark.parametrize('stall', [0.0, 0.19])
def test_one_commander_is_not_taken_for_two(streaming, stall):
    streaming.start()
    converse(streaming, periods=200, commanders=1, stall=stall)
    assert streaming.mode == 'PASSING'


def test_two_commanders_are_noticed_within_a_second(streaming):
    streaming.start()
    converse(streaming, periods=30, commanders=2)
    assert streaming.code == 'GATE_LEASE_CONFLICT'
