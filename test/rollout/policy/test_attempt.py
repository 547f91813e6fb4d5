"""From actions to commands, and what is measured on the way."""

import numpy as np
import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.types import ArmState, Observation
from enpire_nodes.rollout.controllers.interface import Action, AttemptContext
from enpire_nodes.rollout.policy.attempt import AttemptMotion, execute, MotionLimits

GOAL = np.array([0.27, -0.3, -0.06])


def observation(stamp, position=(0.0, 0.0, 0.08), force=(0.0, 0.0, 0.0)):
    state = ArmState(
        stamp,
        GOAL + position,
        np.array([1.0, 0.0, 0.0, 0.0]),
        np.array(force, dtype=float),
        np.zeros(3),
        0.012,
        15.0,
    )
    return Observation(stamp, {'right': state})


class Observer:
    def features(self, observation, *, elapsed=0.0):
        state = observation.arms['right']
        return {'tcp': state.position - GOAL, 'elapsed': np.array([elapsed])}


@pytest.fixture
def motion():
    return AttemptMotion(
        'right',
        Observer(),
        origin=GOAL,
        quaternion=np.array([1.0, 0.0, 0.0, 0.0]),
        gripper_width=0.01,
        gripper_effort=20.0,
        limits=MotionLimits(speed=0.12, lead=0.01),
    )


def test_the_target_begins_where_the_tool_is(motion):
    features = motion.sense(observation(0.0))
    np.testing.assert_allclose(features['target'], [0.0, 0.0, 0.08])
    command = motion.command(Action())['right']
    np.testing.assert_allclose(command.position, GOAL + [0.0, 0.0, 0.08])
    assert (command.gripper_width, command.gripper_effort) == (0.01, 20.0)


def test_deltas_add_up_on_the_target_and_not_on_the_measured_tool(motion):
    for step in range(3):
        features = motion.sense(observation(step / 30.0))
        command = motion.command(Action(delta=np.array([0.0, 0.001, -0.001])))['right']
    np.testing.assert_allclose(features['target'], [0.0, 0.002, 0.078], atol=1e-12)
    np.testing.assert_allclose(command.position, GOAL + [0.0, 0.003, 0.077], atol=1e-12)


def test_a_position_is_relative_to_the_goal(motion):
    motion.sense(observation(0.0))
    command = motion.command(Action(position=np.array([0.001, 0.0, 0.079])))['right']
    np.testing.assert_allclose(command.position, GOAL + [0.001, 0.0, 0.079])


def test_a_leap_is_cut_to_the_speed_and_then_to_the_lead(motion):
    leads = []
    for step in range(10):
        motion.sense(observation(step / 30.0))
        command = motion.command(Action(position=np.array([1.0, 0.0, 0.08])))['right']
        leads.append(command.position[0] - GOAL[0])
    np.testing.assert_allclose(leads[:3], [0.004, 0.008, 0.01])
    assert max(leads) <= 0.01 + 1e-12


def test_without_an_answer_the_last_target_is_repeated(motion):
    motion.sense(observation(0.0))
    first = motion.command(Action(delta=np.array([0.0, 0.0, -0.001])))['right']
    motion.sense(observation(0.033, position=(0.0, 0.0, 0.0795)))
    np.testing.assert_array_equal(motion.command(None)['right'].position, first.position)


def test_the_gripper_keeps_what_it_was_told_last(motion):
    motion.sense(observation(0.0))
    motion.command(Action(gripper_width=0.05))
    assert motion.command(Action())['right'].gripper_width == 0.05


def test_before_it_begins_it_holds_where_it_was_first_seen(motion):
    for height in (0.08, 0.0795):
        held = motion.hold(observation(0.0, position=(0.0, 0.0, height)))['right']
        np.testing.assert_allclose(held.position, GOAL + [0.0, 0.0, 0.08])
    assert (motion.steps, motion.elapsed) == (0, 0.0)
    features = motion.sense(observation(5.0, position=(0.0, 0.0, 0.0795)))
    np.testing.assert_allclose(features['target'], [0.0, 0.0, 0.08])
    assert motion.elapsed == 0.0


def test_a_stop_is_where_the_tool_is_measured(motion):
    motion.sense(observation(0.0))
    motion.command(Action(delta=np.array([0.0, 0.0, -0.004])))
    motion.sense(observation(0.033, position=(0.0, 0.0, 0.079)))
    np.testing.assert_allclose(motion.halt()['right'].position, GOAL + [0.0, 0.0, 0.079])


def test_it_measures_force_depth_and_time(motion):
    motion.sense(observation(1.0))
    motion.sense(observation(1.5, position=(0.0, 0.0, 0.05), force=(3.0, 0.0, 4.0)))
    motion.sense(observation(2.0, position=(0.0, 0.0, 0.07)))
    assert motion.elapsed == 1.0
    assert motion.peak_force == pytest.approx(5.0)
    assert motion.force == 0.0
    assert motion.depth == pytest.approx(0.03)


@pytest.mark.parametrize('position', [(np.nan, 0.0, 0.0), (0.0, np.inf, 0.0)])
def test_an_arm_that_reports_nonsense_is_as_good_as_blind(motion, position):
    with pytest.raises(StationError) as caught:
        motion.sense(observation(0.0, position=position))
    assert caught.value.code == ErrorCode.POLICY_OBSERVATION_STALE


def test_an_arm_that_is_missing_is_as_good_as_blind(motion):
    with pytest.raises(StationError, match='right'):
        motion.sense(Observation(0.0, {}))


def test_a_target_that_is_not_finite_is_never_sent(motion):
    motion.sense(observation(0.0))
    with pytest.raises(StationError) as caught:
        motion.command(Action(delta=np.array([0.0, np.nan, 0.0])))
    assert caught.value.code == ErrorCode.POLICY_NOT_FINITE


class Down:
    """Push down for a number of steps."""

    def __init__(self, steps):
        self.left = self.steps = steps

    def reset(self, context):
        self.left = self.steps

    def step(self, features):
        self.left -= 1
        return Action(delta=np.array([0.0, 0.0, -0.001]), done=self.left < 0)


def settle(periods):
    observation = yield None
    for _ in range(periods):
        observation = yield {'settle': observation.stamp}
    return 'settled'


def drive(program, count):
    """Step a program; return its commands and its result, ``None`` if it did not end."""
    commands = []
    next(program)
    for step in range(count):
        try:
            commands.append(program.send(observation(step / 30.0)))
        except StopIteration as stop:
            return commands, stop.value
    return commands, None


def test_in_one_process_the_policy_is_followed_by_settling_without_a_gap(motion):
    commands, report = drive(execute(Down(5), motion, settle(3), AttemptContext()), 100)
    assert [next(iter(command)) for command in commands] == ['right'] * 5 + ['settle'] * 3
    assert commands[5]['settle'] == 5 / 30.0
    assert (report.completed, report.steps, report.settle) == (True, 5, 'settled')
    assert report.duration == pytest.approx(5 / 30.0)


def test_in_one_process_the_time_runs_out_too(motion):
    context = AttemptContext(timeout=1.0)
    commands, report = drive(execute(Down(1000), motion, settle(1), context), 100)
    assert len(commands) == 31
    assert not report.completed
    assert report.duration == pytest.approx(1.0)
