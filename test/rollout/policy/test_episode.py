"""The life of an attempt: what ends it, and what the arm is told meanwhile."""

import numpy as np
import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.types import ArmState, Observation
from enpire_nodes.rollout.controllers.interface import Action
from enpire_nodes.rollout.policy.attempt import AttemptMotion
from enpire_nodes.rollout.policy.episode import Episode, State
from enpire_nodes.rollout.policy.outcome import Outcome

DOWN = Action(delta=np.array([0.0, 0.0, -0.001]))
DONE = Action(done=True)


class Observer:
    def features(self, observation, *, elapsed=0.0):
        return {'tcp': observation.arms['right'].position}


class Report:
    can_retry = True


class World:
    """The other side of an episode: a clock, a node that remembers, and a settle program."""

    def __init__(self, *, timeout=10.0, settle=None, **options):
        self.now, self.index = 0.0, 0
        self.position = np.array([0.0, 0.0, 0.08])
        self.asked, self.sent, self.results, self.defects = 0, [], [], []
        self.sensed_stamps = []
        self.leases = 0
        self.settle_periods = 3
        motion = AttemptMotion(
            'right',
            Observer(),
            origin=np.zeros(3),
            quaternion=np.array([1.0, 0.0, 0.0, 0.0]),
            gripper_width=0.01,
            gripper_effort=20.0,
        )
        self.episode = Episode(
            self, motion, settle or self.settle, timeout=timeout, clock=lambda: self.now, **options
        )

    def settle(self):
        yield None
        for _ in range(self.settle_periods):
            yield {'right': 'settle'}
        return Report()

    # what the episode asks for
    def ask(self, features):
        self.asked += 1

    def engage(self):
        self.leases += 1

    def send(self, command, stamp):
        assert self.leases == 1, 'a command without the lease'
        self.sent.append((stamp, command['right']))

    def release(self):
        self.leases = 0

    def finish(self, result):
        assert self.leases == 0, 'finished with the lease'
        self.results.append(result)

    def sensed(self, stamp):
        self.sensed_stamps.append(stamp)

    def defect(self, trace):
        self.defects.append(trace)

    # what happens to it
    def tick(self, **changes):
        self.now += 1.0 / 30.0
        self.index += 1
        values = {
            'stamp': self.index / 30.0,
            'position': self.position,
            'quaternion': np.array([1.0, 0.0, 0.0, 0.0]),
            'force': np.zeros(3),
            'torque': np.zeros(3),
            'gripper_width': 0.01,
            'gripper_effort': 20.0,
        }
        state = ArmState(**(values | changes))
        self.episode.tick(Observation(state.stamp, {'right': state}), self.index)

    def run(self, periods, action=DOWN):
        for _ in range(periods):
            asked = self.asked
            self.tick()
            if self.asked > asked:
                self.episode.answer(action)

    def start(self, error=None):
        """Let the policy be ready and the gate grant the lease."""
        self.episode.prepared(error)
        self.tick()
        self.episode.safety(tripped=False, passing=True, message='')
        self.tick()
        assert [stamp for stamp, _ in self.sent] == [self.index - 1, self.index], 'it holds'
        self.sent.clear()
        self.index = 0

    def begin(self, periods=1):
        self.start()
        self.run(periods)
        return self

    @property
    def result(self):
        assert len(self.results) == 1, 'it must finish exactly once'
        return self.results[0]


def test_nothing_moves_before_the_policy_is_ready():
    world = World()
    world.run(5)
    assert (world.asked, world.leases, world.sent) == (0, 0, [])
    world.begin()
    assert (world.asked, world.leases, len(world.sent)) == (1, 1, 1)


def test_a_clock_that_runs_on_lets_the_policy_begin_with_the_grant():
    world = World(lockstep=False)
    world.episode.prepared()
    world.tick()
    assert (world.asked, len(world.sent)) == (0, 1), 'it holds until the gate grants the lease'
    world.episode.safety(tripped=False, passing=True, message='')
    world.tick()
    assert (world.asked, len(world.sent)) == (1, 1)


def test_a_policy_that_is_done_is_followed_by_settling_in_the_same_period():
    world = World().begin(5)
    world.tick()
    world.episode.answer(DONE)
    assert world.sent[-1] == (6, 'settle')
    world.run(3)
    result = world.result
    assert (result.outcome, result.code) == (Outcome.COMPLETED, ErrorCode.NONE)
    assert result.can_retry
    assert (result.start, result.settle_start, result.settled) == (1, 6, 9)
    assert result.steps == 5
    assert [stamp for stamp, _ in world.sent] == list(range(1, 9))


def test_the_time_runs_out_by_the_stations_clock():
    world = World(timeout=0.5).begin(100)
    assert world.result.outcome == Outcome.TIMED_OUT
    assert world.result.duration == pytest.approx(0.5)
    assert world.result.steps == 15


def test_one_late_answer_repeats_the_target_and_is_counted():
    world = World().begin(3)
    world.tick()
    world.episode.answer(None)
    assert world.sent[-1][0] == 4
    np.testing.assert_array_equal(world.sent[-1][1].position, world.sent[-2][1].position)
    world.run(3)
    world.run(10, DONE)
    assert world.result.outcome == Outcome.COMPLETED
    assert world.result.deadline_misses == 1


def test_late_answers_in_a_row_end_the_attempt_and_the_arm_settles():
    world = World(most_misses=4).begin(3)
    for _ in range(4):
        world.tick()
        world.episode.answer(None)
    assert world.sent[-1][1] == 'settle'
    world.run(10)
    result = world.result
    assert (result.outcome, result.code) == (Outcome.ABORTED, ErrorCode.POLICY_DEADLINE_MISSED)
    assert result.deadline_misses == 4
    assert result.settled is not None


def test_late_answers_between_good_ones_do_not():
    world = World(most_misses=2).begin(1)
    for _ in range(5):
        world.tick()
        world.episode.answer(None)
        world.run(1)
    assert world.episode.state is State.RUNNING


def test_a_policy_slower_than_the_period_is_followed_at_its_own_pace():
    world = World().begin(2)
    for _ in range(4):
        world.tick()
    assert world.asked == 3
    assert [stamp for stamp, _ in world.sent] == [1, 2, 4, 5, 6]
    world.episode.answer(Action(delta=np.array([0.003, 0.0, 0.0])))
    assert len(world.sent) == 5
    world.tick()
    assert world.sent[-1][0] == 7
    assert world.sent[-1][1].position[0] == pytest.approx(0.003)
    assert world.asked == 3
    world.run(10, DONE)
    assert (world.result.outcome, world.result.deadline_misses) == (Outcome.COMPLETED, 0)


def test_a_deadline_longer_than_the_period_is_missed_between_two_periods():
    world = World(most_misses=3).begin(1)
    for _ in range(3):
        assert not world.results
        world.tick()
        world.tick()
        world.episode.answer(None)
    assert world.asked == 4
    world.run(10)
    assert world.result.code == ErrorCode.POLICY_DEADLINE_MISSED
    assert world.result.deadline_misses == 3


def test_a_node_that_was_late_itself_does_not_blame_the_policy():
    world = World().begin(2)
    world.tick()
    for _ in range(3):
        world.now -= 1.0 / 30.0
        world.tick()
    world.episode.answer(DOWN)
    assert [stamp for stamp, _ in world.sent] == [1, 2, 6]
    world.run(10, DONE)
    assert world.result.deadline_misses == 0


def test_a_fault_between_two_periods_is_dealt_with_at_the_next():
    world = World().begin(2)
    world.tick()
    world.tick()
    world.episode.answer(None, StationError(ErrorCode.POLICY_CRASHED, 'boom'))
    world.run(10)
    assert (world.result.outcome, world.result.message) == (Outcome.ABORTED, 'boom')


@pytest.mark.parametrize(
    'code', [ErrorCode.POLICY_CRASHED, ErrorCode.POLICY_NOT_FINITE, ErrorCode.POLICY_WRONG_SHAPE]
)
def test_a_fault_of_the_policy_ends_it_and_the_arm_settles(code):
    world = World().begin(3)
    world.tick()
    world.episode.answer(None, StationError(code, 'what the policy did'))
    world.run(10)
    result = world.result
    assert (result.outcome, result.code, result.message) == (
        Outcome.ABORTED,
        code,
        'what the policy did',
    )
    assert result.can_retry
    assert (result.settle_start, result.settled) == (4, 7)


def test_a_policy_that_never_begins_still_lets_the_arm_settle():
    world = World()
    world.start(StationError(ErrorCode.POLICY_WORKER_FAILED, 'no process'))
    world.run(10)
    assert world.result.outcome == Outcome.ABORTED
    assert world.result.code == ErrorCode.POLICY_WORKER_FAILED
    assert world.result.steps == world.asked == 0
    assert world.result.settled is not None


@pytest.mark.parametrize('periods', [3, 12])
def test_a_trip_ends_it_at_once_whatever_it_does(periods):
    world = World().begin(3)
    if periods > 3:
        world.run(1, DONE)
    world.episode.safety(tripped=True, passing=False, message='force exceeded')
    result = world.result
    assert (result.outcome, result.code) == (Outcome.UNSAFE, ErrorCode.POLICY_GATE_REFUSED)
    assert 'force exceeded' in result.message
    assert not result.can_retry
    sent = len(world.sent)
    world.run(5)
    assert len(world.sent) == sent


def test_a_trip_before_it_moves_is_not_its_business():
    world = World()
    world.episode.safety(tripped=True, passing=False, message='an old one')
    world.begin(2)
    assert world.episode.state is State.RUNNING


def test_until_the_lease_is_granted_the_arm_holds_and_the_policy_waits():
    world = World()
    world.episode.prepared()
    for _ in range(3):
        world.position = world.position - [0.0, 0.0, 0.0001]
        world.tick()
    assert world.asked == 0
    assert [stamp for stamp, _ in world.sent] == [1, 2, 3]
    assert {command.position[2] for _, command in world.sent} == {0.0799}, 'it does not creep'
    world.episode.safety(tripped=False, passing=True, message='')
    world.run(1)
    assert world.asked == 0, 'the gate may have answered this period before'
    world.run(1)
    assert world.asked == 1
    assert world.sent[-1][1].position[2] == pytest.approx(0.0799 - 0.001)


def test_a_gate_that_does_not_grant_the_lease_ends_it():
    world = World()
    world.episode.prepared()
    world.run(30)
    world.episode.watch()
    assert not world.results
    world.run(45)
    world.episode.watch()
    assert world.result.code == ErrorCode.POLICY_GATE_REFUSED
    assert 'did not grant' in world.result.message


def test_a_station_that_goes_blind_ends_it():
    world = World(stale_after=0.5).begin(3)
    world.now += 0.4
    world.episode.watch()
    assert not world.results
    world.now += 0.2
    world.episode.watch()
    result = world.result
    assert (result.outcome, result.code) == (Outcome.UNSAFE, ErrorCode.POLICY_OBSERVATION_STALE)


def test_a_station_that_is_blind_from_the_start_ends_it_once_the_policy_is_ready():
    world = World(stale_after=0.5)
    world.now += 20.0
    world.episode.watch()
    assert not world.results, 'a policy may take its time to start'
    world.episode.prepared()
    world.now += 0.6
    world.episode.watch()
    assert world.result.code == ErrorCode.POLICY_OBSERVATION_STALE


def test_an_arm_that_reports_nan_ends_it():
    world = World().begin(3)
    world.tick(force=np.array([np.nan, 0.0, 0.0]))
    assert world.result.code == ErrorCode.POLICY_OBSERVATION_STALE


def test_a_cancel_stops_the_arm_answers_the_open_period_and_waits_until_it_is_still():
    world = World().begin(5)
    world.tick()
    world.episode.cancel()
    assert world.sent[-1][0] == 6
    np.testing.assert_array_equal(world.sent[-1][1].position, world.position)
    assert world.sent[-1][1].gripper_width == 0.01
    for _ in range(4):
        world.position = world.position - [0.0, 0.0, 0.001]
        world.tick()
    assert not world.results
    world.run(6)
    result = world.result
    assert (result.outcome, result.code) == (Outcome.CANCELED, ErrorCode.POLICY_CANCELED)
    assert [stamp for stamp, _ in world.sent] == list(range(1, len(world.sent) + 1))


def test_an_arm_that_is_never_still_does_not_keep_a_cancel_waiting():
    world = World().begin(5)
    world.episode.cancel()
    for index in range(60):
        world.position = np.array([0.0, 0.002 * (-1) ** index, 0.08])
        world.tick()
    assert world.result.outcome == Outcome.CANCELED


def test_a_cancel_before_it_moves_is_immediate():
    world = World()
    world.episode.cancel()
    assert world.result.outcome == Outcome.CANCELED
    assert world.leases == 0


def test_a_cancel_while_settling_keeps_the_grip():
    world = World().begin(3)
    world.run(1, DONE)
    world.episode.cancel()
    world.run(10)
    assert world.result.outcome == Outcome.CANCELED
    assert world.sent[-1][1].gripper_width == 0.01


def test_a_settle_that_fails_is_told():
    def settle():
        yield None
        yield {'right': 'settle'}
        raise StationError(ErrorCode.GATE_FORCE_EXCEEDED, 'stuck in the hole')

    world = World(settle=settle).begin(3)
    world.run(3, DONE)
    result = world.result
    assert (result.outcome, result.code) == (Outcome.ABORTED, ErrorCode.POLICY_SETTLE_FAILED)
    assert 'stuck in the hole' in result.message
    assert not result.can_retry


def test_a_settle_that_never_ends_is_ended():
    world = World(settle_timeout=1.0)
    world.settle_periods = 10_000
    world.begin(3)
    world.run(1, DONE)
    world.run(60)
    assert world.result.code == ErrorCode.POLICY_SETTLE_FAILED


def test_a_defect_holds_the_arm_and_is_logged():
    def settle():
        yield None
        raise ZeroDivisionError('a defect')

    world = World(settle=settle).begin(3)
    world.run(1, DONE)
    assert (world.result.outcome, world.result.code) == (Outcome.UNSAFE, ErrorCode.POLICY_INTERNAL)
    assert 'ZeroDivisionError' in world.defects[0]


def test_after_the_end_nothing_matters():
    world = World().begin(3)
    world.episode.safety(tripped=True, passing=False, message='x')
    world.episode.cancel()
    world.episode.answer(DOWN)
    world.episode.prepared()
    world.now += 100.0
    world.episode.watch()
    world.run(3)
    assert world.result.outcome == Outcome.UNSAFE


def test_every_period_in_which_the_policy_runs_is_told_once():
    world = World().begin(5)
    assert world.sensed_stamps == [1, 2, 3, 4, 5]
    world.tick()
    world.episode.answer(DONE)
    world.run(5)
    assert world.result.settled is not None
    assert world.sensed_stamps == [1, 2, 3, 4, 5, 6], 'the last one is what its end looked like'
    assert len(world.sensed_stamps) == world.result.steps + 1


def test_the_period_in_which_the_time_is_up_is_told():
    world = World(timeout=0.5).begin(100)
    assert world.result.outcome == Outcome.TIMED_OUT
    assert world.sensed_stamps == list(range(1, 17))
    assert len(world.sensed_stamps) == world.result.steps + 1


def test_a_policy_that_is_late_is_told_of_every_period_all_the_same():
    world = World().begin(2)
    world.tick()  # asked, and silent
    world.now += 1.0
    world.tick()
    world.episode.answer(None)
    world.run(2)
    assert world.sensed_stamps == list(range(1, 7))


def test_a_policy_that_never_ran_is_told_nothing():
    world = World()
    world.start(StationError(ErrorCode.POLICY_WORKER_FAILED, 'no such file'))
    world.run(10)
    assert world.result.outcome == Outcome.ABORTED
    assert world.sensed_stamps == []


def test_a_halt_is_not_the_policys_doing():
    world = World().begin(3)
    world.episode.cancel()
    world.run(10)
    assert world.result.outcome == Outcome.CANCELED
    assert world.sensed_stamps == [1, 2, 3]
