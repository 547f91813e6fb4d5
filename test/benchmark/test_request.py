"""Requests to a double of the trial runner."""

import pytest

from enpire_msgs.action import RunTrials
from enpire_nodes.benchmark.calling import Caller, CallFailedError
from enpire_nodes.benchmark.request import request_trials
from enpire_nodes.ros.goals import GoalServer
from enpire_nodes.ros.node import StationNode

pytestmark = pytest.mark.ros


class FakeRunner(StationNode):
    """Closes a trial at every tick; never finishes when told so."""

    def __init__(self, **arguments):
        super().__init__('trial_runner', **arguments)
        self.goals, self.refuse, self.stuck, self.canceled = [], '', False, False
        self._left = 0

    def configure(self):
        self._server = GoalServer(
            self, RunTrials, 'run_trials', accept=lambda goal: self.refuse, start=self._begin
        )
        self.create_steady_timer(0.02, self._tick)

    def _begin(self, goal):
        self.goals.append(goal)
        self._left = goal.trials

    def _tick(self):
        if not self.goals or self._left < 0:
            return
        if self._server.cancel_requested:
            self.canceled = True
            self._finish(RunTrials.Result.CANCELED)
        elif self._left == 0 and not self.stuck:
            self._finish(RunTrials.Result.COMPLETED)
        elif self._left > 0:
            self._left -= 1
            done = self.goals[-1].trials - self._left
            self._server.feedback(completed=done, trials=self.goals[-1].trials)

    def _finish(self, outcome):
        self._left = -1
        self._server.finish(
            RunTrials.Result(outcome=outcome, completed=len(self.goals[-1].seeds)),
            succeeded=outcome == RunTrials.Result.COMPLETED,
        )


@pytest.fixture
def runner(station_domain):
    return station_domain.make(FakeRunner)


def ask(**options):
    with Caller('/station_1') as caller:
        return request_trials(
            caller,
            **{
                'seeds': [4, 5],
                'controller': 'hold',
                'max_attempts': 8,
                'timeout': 20.0,
                **options,
            },
        )


def test_asks_for_a_trial_of_each_seed_and_tells_the_progress(runner):
    told = []

    answer = ask(progress=told.append)

    assert answer.completed == 2
    assert told[-1] == 2
    (goal,) = runner.goals
    assert (list(goal.seeds), goal.trials, goal.controller) == ([4, 5], 2, 'hold')
    assert (goal.max_attempts, goal.requester) == (8, 'bench')


def test_request_that_is_not_done_in_time_is_canceled(runner, station_domain):
    runner.stuck = True

    with pytest.raises(CallFailedError, match='not done after 1 s'):
        ask(timeout=1.0)

    assert station_domain.wait_until(lambda: runner.canceled)


def test_refusal_is_an_error(runner):
    runner.refuse = 'busy'

    with pytest.raises(CallFailedError, match='refused'):
        ask()
