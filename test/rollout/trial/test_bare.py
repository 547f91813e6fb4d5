"""The bare station: stages of a toy task on a toy plant, in lockstep with its control period."""

from __future__ import annotations

from pathlib import Path
import time

import numpy as np
import pytest

from enpire_nodes.common.errors import ErrorCode
from enpire_nodes.common.types import ArmCommand, ArmState, Frame, Observation
from enpire_nodes.rollout.controllers.interface import Action
from enpire_nodes.rollout.records import Execution, TrialOutcome, TrialRecord
from enpire_nodes.rollout.trial.bare import BareSettings, BareStation, MemoryBook
from enpire_nodes.rollout.trial.protocol import run_trial
from enpire_nodes.rollout.trial.timeline import Timeline
from enpire_nodes.tasks.api import (
    Judgement,
    Outcome,
    Pose,
    ResetFailedError,
    ResetReport,
    SettleReport,
)

DOWN = np.array([1.0, 0.0, 0.0, 0.0])
PERIOD = 1.0 / 30.0


class Plant:
    """The tool is where it was sent; a picture every third period."""

    def __init__(self) -> None:
        self.count = 0
        self.position = np.array([0.0, 0.0, 0.1])

    def observe(self) -> Observation:
        stamp = self.count * PERIOD
        zero = np.zeros(3)
        state = ArmState(stamp, self.position, DOWN, zero, zero, 0.01, 5.0)
        picture = Frame(self.count // 3 * 3 * PERIOD, np.zeros((2, 2, 3), np.uint8))
        return Observation(stamp, {'right': state}, {'side': picture, 'front': picture})

    def step(self, command):
        if 'right' in command:
            self.position = np.array(command['right'].position)
        self.count += 1
        return self.observe()


class Verifier:
    digest = 'judge'

    def __init__(self, outcomes) -> None:
        self.outcomes, self.frames, self.states = outcomes, [], []

    def add_frame(self, name, frame):
        self.frames.append((name, frame.stamp))

    def add_arm_state(self, state):
        self.states.append(state.stamp)

    def ready(self, *, settle_start, settled):
        return sum(stamp > settled for _, stamp in self.frames) >= 4

    def decide(self, *, now, settle_start, settled):
        return Judgement(self.outcomes.pop(0), 1.0, (), 0.01, ErrorCode.NONE, 'seen')


class Task:
    name, arm, cameras, hand_down = 'toy', 'right', ('side', 'front'), DOWN
    motion = {'grip_width': 0.01, 'grip_effort': 5.0}

    def __init__(self, outcomes=(Outcome.SUCCESS,)) -> None:
        self.judge = Verifier(list(outcomes))
        self.fail: ResetFailedError | None = None
        self.can_retry = True

    def verifier(self, cameras):
        return self.judge

    def observer(self, cameras, fixture):
        class Observer:
            def features(self, observation, *, elapsed=0.0):
                tcp = observation.arms['right'].position - fixture.position
                names = {'force': 3, 'torque': 3, 'gripper': 2, 'tip': 3, 'tip_valid': 1}
                return {'tcp': tcp, **{name: np.zeros(size) for name, size in names.items()}}

        return Observer()

    def reset(self, cameras, *, seed, report=None):
        observation = yield None
        if self.fail is not None:
            raise self.fail
        for _ in range(10):
            observation = yield {'right': ArmCommand(np.array([0.0, 0.0, 0.1]), DOWN, 0.01)}
        return ResetReport(Pose(np.zeros(3), DOWN), ('slipped',), observation.stamp, np.zeros(2))

    def settle(self, fixture, *, report=None):
        observation = yield None
        start = observation.stamp
        for _ in range(3):
            observation = yield {'right': ArmCommand(np.array([0.0, 0.0, 0.2]), DOWN, 0.05)}
        return SettleReport(self.can_retry, start, observation.stamp)


@pytest.fixture
def trial():
    def run(task, *, controller='hold', max_attempts=3, **settings):
        station = bare(task, **settings)
        station.prepare(controller, {})
        return run_on(station, max_attempts)

    return run


def test_a_trial_runs_without_ros(trial):
    closed = trial(Task())
    assert closed.outcome is TrialOutcome.SUCCESS
    assert closed.reset_seconds == pytest.approx(10 * PERIOD)
    assert closed.execute_seconds == pytest.approx(0.5 + 3 * PERIOD, abs=2 * PERIOD)
    assert closed.reset_recoveries == ('slipped',)
    assert closed.controller == 'hold'
    assert closed.attempts[0].verdict.digest == 'judge'


def test_attempts_go_on_until_one_succeeds(trial):
    closed = trial(Task((Outcome.FAILURE, Outcome.UNCERTAIN, Outcome.SUCCESS)))
    assert [attempt.index for attempt in closed.attempts] == [1, 2, 3]
    assert closed.outcome is TrialOutcome.SUCCESS


def test_the_judge_waits_for_fresh_pictures_and_not_for_ever(trial):
    task = Task()
    closed = trial(task)
    fresh = [s for _, s in task.judge.frames if s > closed.attempts[0].end_ns / 1e9]
    assert len(fresh) == 4
    blind = Task()
    blind.judge.ready = lambda **_: False
    assert trial(blind, judge_timeout=0.2).verify_seconds == pytest.approx(0.2, abs=2 * PERIOD)


def test_a_failed_reset_is_told_with_what_was_tried(trial):
    task = Task()
    task.fail = ResetFailedError(
        ErrorCode.RESET_PIN_NOT_FOUND, 'no pin in sight', ('looked again',)
    )
    closed = trial(task)
    assert closed.outcome is TrialOutcome.RESET_FAILED
    assert closed.error_code is ErrorCode.RESET_PIN_NOT_FOUND
    assert closed.reset_recoveries == ('looked again',)
    assert 'a person is needed' in closed.message


def test_real_time_is_kept(trial):
    began = time.monotonic()
    closed = trial(Task(), realtime=True, timeout=0.2)
    assert time.monotonic() - began >= closed.robot_seconds - 2 * PERIOD


def test_every_picture_is_given_to_the_judge_once(trial):
    task = Task()
    trial(task)
    assert len(task.judge.frames) == len(set(task.judge.frames))
    assert len(task.judge.states) == len(set(task.judge.states))


def bare(task=None, **settings):
    values = {'timeout': 0.5, 'judge_timeout': 1.0, **settings}
    return BareStation(
        Plant(), task or Task(), {'side': None, 'front': None}, settings=BareSettings(**values)
    )


def run_on(station, max_attempts=3):
    return run_trial(
        TrialRecord('t', max_attempts=max_attempts),
        Path('/nowhere'),
        station=station,
        book=MemoryBook(),
        timeline=Timeline(lambda interval: None),
    )


class Policy:
    """Goes down a millimetre a period; done after ``periods``."""

    def __init__(self, periods):
        self.periods, self.contexts = periods, []

    def reset(self, context):
        self.contexts.append(context)
        self.count = 0

    def step(self, features):
        self.count += 1
        return Action(delta=np.array([0.0, 0.0, -0.001]), done=self.count > self.periods)


def test_a_policy_that_was_made_elsewhere_runs_under_its_name_without_a_digest():
    station, policy = bare(Task((Outcome.FAILURE, Outcome.SUCCESS))), Policy(4)
    station.use(policy, 'mine')
    closed = run_on(station)
    assert (closed.controller, closed.controller_digest) == ('mine', '')
    assert [attempt.steps for attempt in closed.attempts] == [4, 4]
    assert [context.attempt for context in policy.contexts] == [1, 2]
    station.prepare('hold', {})
    closed = run_on(bare_again(station))
    assert closed.controller == 'hold'
    assert closed.controller_digest


def bare_again(station):
    station._verifier.outcomes.append(Outcome.SUCCESS)
    return station


def test_what_the_policy_saw_is_kept_attempt_by_attempt():
    station = bare(Task((Outcome.FAILURE, Outcome.SUCCESS)))
    station.use(Policy(4), 'mine')
    closed = run_on(station)
    assert sorted(station.traces) == [1, 2]
    for attempt in closed.attempts:
        trace = station.traces[attempt.index]
        assert len(trace) == attempt.steps + 1
        stamps = [stamp for stamp, _ in trace]
        np.testing.assert_allclose(np.diff(stamps), PERIOD)
        assert attempt.start_ns <= stamps[0] * 1e9 + 1
        targets = np.array([features['target'][2] for _, features in trace])
        np.testing.assert_allclose(np.diff(targets), -0.001, atol=1e-9)


def test_the_traces_are_those_of_the_newest_trial():
    station = bare(Task((Outcome.FAILURE, Outcome.SUCCESS)))
    station.use(Policy(4), 'mine')
    run_on(station)
    run_on(bare_again(station))
    assert sorted(station.traces) == [1]


def test_a_policy_that_runs_out_of_time_has_its_last_row():
    station = bare(timeout=0.3)
    station.use(Policy(10**6), 'mine')
    closed = run_on(station)
    assert closed.attempts[0].execution is Execution.TIMED_OUT
    assert len(station.traces[1]) == closed.attempts[0].steps + 1
