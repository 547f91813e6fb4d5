"""What the runner tells about itself."""

from __future__ import annotations

import math

from builtin_interfaces.msg import Time
import pytest

from enpire_msgs.action import RunTrials
from enpire_msgs.msg import StationState
from enpire_nodes.common.errors import ErrorCode
from enpire_nodes.rollout import runner_messages
from enpire_nodes.rollout.messages import parameter_messages
from enpire_nodes.rollout.records import (
    Activity,
    AttemptRecord,
    RequestRecord,
    StateInterval,
    TrialOutcome,
    TrialRecord,
    VerdictOutcome,
    VerdictRecord,
)
from enpire_nodes.rollout.runner_messages import Standing
from enpire_nodes.rollout.statistics import summarize
from enpire_nodes.rollout.trial.requests import RequestOutcome, RequestResult
from enpire_nodes.rollout.trial.reset_tally import ResetTally
from enpire_nodes.rollout.utilization import utilization

REQUEST = RequestRecord('r1', 'demo', trials=4, max_attempts=3, seeds=(), controller='scripted')
GOOD = VerdictRecord(VerdictOutcome.SUCCESS, score=0.9)


def success(number: int) -> TrialRecord:
    return TrialRecord(
        f't{number}', request_id='r1', outcome=TrialOutcome.SUCCESS, controller='scripted',
        attempts=(AttemptRecord(1, verdict=GOOD),),
    )  # fmt: skip


def intervals() -> list[StateInterval]:
    span = 10**9
    return [
        StateInterval(Activity.RESETTING, 0, 3 * span, 0, 3 * span, 'agent'),
        StateInterval(Activity.EXECUTING, 3 * span, 8 * span, 3 * span, 8 * span, 'agent'),
        StateInterval(Activity.IDLE_NO_WORK, 8 * span, 10 * span, 8 * span, 10 * span),
    ]


def state(standing: Standing) -> StationState:
    return runner_messages.state_message(
        standing,
        station='station_1',
        stamp=Time(sec=5),
        activity=Activity.EXECUTING,
        message='',
        session=utilization(intervals()),
    )


def test_a_station_that_has_done_nothing_says_so():
    message = state(Standing())
    assert (message.trial_id, message.request_id, message.trials_done) == ('', '', 0)
    assert math.isnan(message.success_rate)
    assert message.state_name == 'EXECUTING'


def test_the_state_follows_a_request():
    standing = Standing()
    standing.begin(REQUEST, [success(1)])
    standing.start(success(2))
    standing.progress(1, None)
    standing.progress(1, GOOD)
    message = state(standing)
    assert (message.trial_id, message.attempt, message.max_attempts) == ('t2', 1, 3)
    assert (message.trials_done, message.trials_requested, message.successes) == (1, 4, 1)
    assert (message.last_verdict.trial_id, message.last_verdict.outcome) == ('t2', 2)
    standing.close(success(2))
    message = state(standing)
    assert (message.trial_id, message.attempt, message.trials_done) == ('', 0, 2)
    assert message.streak == 2
    assert message.last_verdict.trial_id == 't2'
    assert message.robot_utilization == pytest.approx(0.8)
    assert message.execution_utilization == pytest.approx(0.5)


def test_utilization_adds_up():
    message = runner_messages.utilization_message(
        utilization(intervals()), station='s', stamp=Time()
    )
    states = (message.resetting, message.executing, message.idle_no_work)
    assert states == (3.0, 5.0, 2.0)
    assert message.wall_seconds == 10.0
    assert message.agent_utilization == pytest.approx(0.8)
    assert message.robot_seconds == 8.0


def test_reset_statistics_name_their_causes():
    tally = ResetTally([
        TrialRecord(
            't', outcome=TrialOutcome.RESET_FAILED, error_code=ErrorCode.RESET_PIN_DROPPED,
            reset_retries=2, reset_recoveries=('slipped', 'slipped'),
        )
    ])  # fmt: skip
    message = runner_messages.reset_message(tally, stamp=Time())
    assert dict(zip(message.causes, message.counts, strict=True)) == {
        'slipped': 2, 'reset_pin_dropped': 1,
    }  # fmt: skip
    assert (message.attempts, message.successes, message.success_rate) == (1, 0, 0.0)


def test_a_goal_becomes_a_request():
    goal = RunTrials.Goal(
        trials=2,
        controller='scripted',
        controller_parameters=parameter_messages({'press': 1.5}),
        seeds=[2**63, 4],
        idea='push harder',
    )
    request = runner_messages.request_record(goal, max_attempts=5)
    assert request.request_id
    assert (request.requester, request.max_attempts) == ('operator', 5)
    assert request.seeds == (2**63, 4)
    assert request.controller_parameters == {'press': 1.5}
    assert request.idea == 'push harder'


def test_the_seeds_of_a_confirmation_block_are_the_station_s():
    goal = RunTrials.Goal(trials=1, confirmation=True)
    assert runner_messages.contradiction(goal) == ''
    assert runner_messages.request_record(goal, max_attempts=1).confirmation
    goal.seeds = [5]
    assert 'draws the seeds' in runner_messages.contradiction(goal)


def test_nobody_hides_trials_by_asking_for_them_as_the_station_itself():
    goal = RunTrials.Goal(trials=1, requester='canary')
    assert "the station's own" in runner_messages.contradiction(goal)
    goal.requester = 'agent'
    assert runner_messages.contradiction(goal) == ''


def test_the_result_counts_what_the_ledger_holds():
    excluded = TrialRecord('t9', outcome=TrialOutcome.RESET_FAILED, infrastructure=True)
    summary = summarize([success(1), excluded])
    result = RequestResult(
        RequestOutcome.STOPPED, ErrorCode.RUNNER_ESTOPPED, 'why', REQUEST, summary
    )
    message = runner_messages.result_message(result)
    assert message.outcome == RunTrials.Result.STOPPED
    assert (message.completed, message.successes, message.excluded) == (2, 1, 1)
    assert message.error_code == ErrorCode.RUNNER_ESTOPPED
    assert message.success_lower_bound == pytest.approx(0.05)
