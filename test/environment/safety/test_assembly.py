"""States of three streams, ticks of several arms, commands of two messages."""

from __future__ import annotations

import math

import numpy as np
import pytest

from enpire_nodes.environment.safety.assembly import (
    CommandAssembler,
    first_or_nan,
    StateAssembler,
    TickAssembler,
)

from .conftest import DOWN, HOME, make_state

ZERO = np.zeros(3)
FORCE = np.array([1.0, 2.0, 3.0])
STREAMS = ('pose', 'wrench', 'gripper')


class Arm:
    """Feeds an assembler."""

    def __init__(self, *, together: bool = False) -> None:
        self.assembler = StateAssembler('world', together=together, max_age=0.2)

    def add(self, stream: str, stamp: float, *, now: float | None = None, frame='world'):
        now = stamp if now is None else now
        if stream == 'pose':
            return self.assembler.pose(stamp, frame, HOME, DOWN, now)
        if stream == 'wrench':
            return self.assembler.wrench(stamp, frame, FORCE, ZERO, now)
        return self.assembler.gripper(stamp, 0.03, 4.0, now)


@pytest.mark.parametrize('order', [(0, 1, 2), (2, 1, 0), (1, 2, 0), (1, 0, 2)])
@pytest.mark.parametrize('together', [False, True])
def test_one_state_a_stamp_whatever_the_order(order, together):
    arm = Arm(together=together)
    for stamp in (1.0, 1.01, 1.02):
        first, second, third = (STREAMS[index] for index in order)
        assert arm.add(first, stamp) is None
        assert arm.add(second, stamp) is None
        state = arm.add(third, stamp)
        assert state.stamp == stamp
        np.testing.assert_array_equal(state.force, FORCE)
        assert (state.gripper_width, state.gripper_effort) == (0.03, 4.0)


def test_independent_streams_give_one_state_a_pose_after_a_while():
    arm = Arm()
    states = []
    for index in range(10):
        arm.add('wrench', 1.003 + 0.01 * index)
        arm.add('gripper', 1.007 + 0.01 * index)
        states.append(arm.add('pose', 1.01 + 0.01 * index))
    assert states[:2] == [None, None]
    assert all(state is not None for state in states[2:])


def test_independent_streams_give_none_in_lockstep():
    arm = Arm(together=True)
    for index in range(10):
        arm.add('wrench', 1.003 + 0.01 * index)
        arm.add('gripper', 1.007 + 0.01 * index)
        assert arm.add('pose', 1.01 + 0.01 * index) is None


@pytest.mark.parametrize('silent', ['wrench', 'gripper'])
def test_a_stream_that_falls_silent_ends_the_states(silent):
    arm = Arm()
    for stream in STREAMS:
        arm.add(stream, 1.0)
    other = 'gripper' if silent == 'wrench' else 'wrench'
    last = None
    for index in range(1, 100):
        arm.add(other, 1.0 + 0.01 * index)
        last = arm.add('pose', 1.0 + 0.01 * index) and index
        if 0.01 * index > 0.21:
            assert last is None


@pytest.mark.parametrize('stream', ['pose', 'wrench'])
def test_another_frame_ends_the_states_and_is_named(stream):
    arm = Arm()
    for name in STREAMS:
        arm.add(name, 1.0)
    assert arm.assembler.fault == ''
    for name in STREAMS:
        assert arm.add(name, 1.1, frame='base' if name == stream else 'world') is None
    assert "'base'" in arm.assembler.fault
    for name in STREAMS:
        arm.add(name, 1.2)
    assert arm.assembler.fault == ''


def test_a_tick_is_complete_when_every_arm_has_its_stamp():
    ticks = TickAssembler(('left', 'right'))
    assert ticks.add('left', make_state(1.0)) is None
    assert set(ticks.add('right', make_state(1.0))) == {'left', 'right'}
    assert ticks.add('right', make_state(2.0)) is None
    states = ticks.add('left', make_state(2.0))
    assert {state.stamp for state in states.values()} == {2.0}


def test_a_command_needs_both_messages_of_one_stamp():
    arm = CommandAssembler('right')
    assert arm.gripper(1.0, 0.03, 5.0) is None
    assert arm.pose(1.1, 'world', HOME, DOWN) is None
    request = arm.gripper(1.1, 0.02, 6.0)
    assert (request.arm, request.stamp, request.frame) == ('right', 1.1, 'world')
    assert (request.command.gripper_width, request.command.gripper_effort) == (0.02, 6.0)
    assert arm.gripper(1.1, 0.02, 6.0) is None  # each message is used once


def test_a_missing_number_is_nan():
    assert math.isnan(first_or_nan([]))
    assert first_or_nan([3, 4]) == 3.0
