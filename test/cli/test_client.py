"""A request on its way through more than one life of the runner; real nodes."""

from __future__ import annotations

import threading
import time

import pytest

from enpire_msgs.action import RunTrials
from enpire_msgs.msg import ResetStatistics, StationState, Trial
from enpire_nodes.cli.client import StationLink
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.ros import qos
from enpire_nodes.ros.goals import GoalServer
from enpire_nodes.ros.node import StationNode

pytestmark = pytest.mark.ros


class FakeRunner(StationNode):
    """Takes requests and ends them when it is told to."""

    def __init__(self, **arguments) -> None:
        super().__init__('trial_runner', **arguments)
        self.goals: list[RunTrials.Goal] = []
        self.refuse = ''
        self.finish = True
        self._done = False

    def configure(self) -> None:
        self._server = GoalServer(
            self, RunTrials, 'run_trials', accept=lambda goal: self.refuse, start=self._begin
        )
        self.states = self.create_publisher(StationState, 'station_state', qos.LATCHED)
        self.trials = self.create_publisher(Trial, 'trial', qos.EVENTS)
        self.resets = self.create_publisher(ResetStatistics, 'reset_statistics', qos.LATCHED)
        self.create_steady_timer(0.02, self._tick)

    def _begin(self, goal: RunTrials.Goal) -> None:
        self.goals.append(goal)
        self._done = False

    def _tick(self) -> None:
        if not self.goals or self._done:
            return
        outcome = RunTrials.Result.COMPLETED if self.finish else None
        if self._server.cancel_requested:
            outcome = RunTrials.Result.CANCELED
        if outcome is not None:
            self._done = True
            goal = self.goals[-1]
            self.trials.publish(Trial(trial_id='t1', outcome=Trial.SUCCESS))
            result = RunTrials.Result(outcome=outcome, request_id=goal.request_id, completed=1)
            self._server.finish(result, succeeded=True)


@pytest.fixture
def runner(ros):
    return ros.make(FakeRunner)


@pytest.fixture
def link(ros):
    with StationLink('station_1', context=ros.context) as link:
        yield link


def goal(**fields) -> RunTrials.Goal:
    return RunTrials.Goal(**{'request_id': 'r1', 'trials': 1, **fields})


def test_a_request_is_done_and_the_board_filled(runner, link):
    shown = []
    result = link.run(goal(), show=lambda board: shown.append(board.notice))
    assert result.outcome == RunTrials.Result.COMPLETED
    assert [g.request_id for g in runner.goals] == ['r1']
    assert 'waiting for /station_1/trial_runner' in shown[0]
    deadline = time.monotonic() + 5.0
    while not link.board.closed and time.monotonic() < deadline:
        link.hear()
    assert link.board.trials[0].trial_id == 't1'


def test_a_request_without_identifier_cannot_be_sent_again(link):
    with pytest.raises(ValueError, match='identifier'):
        link.run(RunTrials.Goal(trials=1))


def test_a_station_that_is_not_up_is_named(link):
    with pytest.raises(StationError, match='enpire up') as caught:
        link.run(goal(), patience=0.5)
    assert caught.value.code is ErrorCode.RUNNER_STATION_NOT_READY


def test_a_runner_that_refuses_is_asked_again(runner, link):
    runner.refuse = 'another goal is under way'

    def relent() -> None:
        runner.refuse = ''

    threading.Timer(1.0, relent).start()
    assert link.run(goal(), patience=20.0).outcome == RunTrials.Result.COMPLETED


def test_the_same_request_is_sent_to_a_runner_that_came_back(ros, runner, link):
    runner.finish = False
    second = []

    def replace() -> None:
        ros.wait_until(lambda: runner.goals)
        ros.remove(runner)
        second.append(ros.make(FakeRunner))

    thread = threading.Thread(target=replace)
    thread.start()
    notices = set()
    result = link.run(goal(), show=lambda board: notices.add(board.notice), patience=30.0)
    thread.join()
    assert result.outcome == RunTrials.Result.COMPLETED
    assert [g.request_id for g in second[0].goals] == ['r1']
    assert any('restarted' in notice for notice in notices)


def test_an_interrupt_makes_a_controlled_stop(runner, link):
    runner.finish = False
    seen = []

    def show(board) -> None:
        seen.append(board)
        if runner.goals and not getattr(show, 'done', False):
            show.done = True
            raise KeyboardInterrupt

    result = link.run(goal(), show=show)
    assert result.outcome == RunTrials.Result.CANCELED
    assert 'Ctrl-C' in link.board.notice
