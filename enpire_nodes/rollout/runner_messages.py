"""What the trial runner tells about itself, as messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from builtin_interfaces.msg import Time

from enpire_msgs.action import RunTrials
from enpire_msgs.msg import ResetStatistics, StationState
from enpire_msgs.msg import Utilization as UtilizationMessage
from enpire_nodes.rollout.messages import parameter_values, verdict_message
from enpire_nodes.rollout.records import (
    Activity,
    CANARY,
    RequestRecord,
    TrialRecord,
    VerdictRecord,
)
from enpire_nodes.rollout.statistics import summarize, Summary
from enpire_nodes.rollout.trial.requests import new_request_id, RequestResult
from enpire_nodes.rollout.trial.reset_tally import ResetTally
from enpire_nodes.rollout.utilization import Utilization

#: Name of the requester whose work is shown as the agent's.
AGENT = 'agent'


@dataclass(slots=True)
class Standing:
    """Where the request under way, or the last one, stands."""

    request: RequestRecord | None = None
    trials: list[TrialRecord] = field(default_factory=list)
    trial: TrialRecord | None = None
    attempt: int = 0
    verdict: VerdictRecord = field(default_factory=VerdictRecord)
    verdict_of: tuple[str, int] = ('', 0)
    controller: str = ''

    def begin(self, request: RequestRecord, trials: Sequence[TrialRecord]) -> None:
        """Begin a request; ``trials`` of it are done already."""
        self.request, self.trials = request, list(trials)
        self.trial, self.attempt = None, 0
        self.controller = request.controller or self.controller

    def start(self, trial: TrialRecord) -> None:
        """Begin a trial."""
        self.trial, self.attempt = trial, 0
        self.controller = trial.controller or self.controller

    def progress(self, attempt: int, verdict: VerdictRecord | None) -> None:
        """Note that an attempt begins, or its verdict."""
        self.attempt = attempt
        if verdict is not None and self.trial is not None:
            self.verdict, self.verdict_of = verdict, (self.trial.trial_id, attempt)

    def leave(self) -> None:
        """Forget the trial under way: it is closed, and none of the request's."""
        self.trial, self.attempt = None, 0

    def close(self, trial: TrialRecord) -> None:
        """Take a closed trial."""
        self.trials.append(trial)
        self.trial, self.attempt = None, 0
        self.controller = trial.controller or self.controller

    @property
    def summary(self) -> Summary:
        """The closed trials of the request."""
        return summarize(self.trials)


def state_message(
    standing: Standing,
    *,
    station: str,
    stamp: Time,
    activity: Activity,
    message: str,
    session: Utilization,
) -> StationState:
    """Return ``station_state``."""
    summary, trial, request = standing.summary, standing.trial, standing.request
    state = StationState(
        station=station,
        state=int(activity),
        state_name=activity.name,
        message=message,
        trial_id=trial.trial_id if trial else '',
        request_id=request.request_id if request else '',
        controller=standing.controller,
        attempt=standing.attempt,
        max_attempts=request.max_attempts if request else 0,
        trials_done=summary.trials,
        trials_requested=request.trials if request else 0,
        successes=summary.successes,
        first_attempt_successes=summary.first_attempt_successes,
        success_rate=summary.rate,
        success_lower_bound=summary.lower,
        success_anytime_bound=summary.anytime,
        streak=summary.streak,
        robot_utilization=session.robot_utilization,
        execution_utilization=session.execution_utilization,
        last_verdict=verdict_message(
            standing.verdict, trial_id=standing.verdict_of[0], attempt=standing.verdict_of[1]
        ),
    )
    state.header.stamp = stamp
    return state


def utilization_message(whole: Utilization, *, station: str, stamp: Time) -> UtilizationMessage:
    """Return ``utilization``; the tokens are the supervisor's to add."""
    seconds = {activity: whole.seconds.get(activity, 0.0) for activity in Activity}
    message = UtilizationMessage(
        station=station,
        wall_seconds=whole.wall_seconds,
        resetting=seconds[Activity.RESETTING],
        executing=seconds[Activity.EXECUTING],
        verifying=seconds[Activity.VERIFYING],
        idle_waiting_agent=seconds[Activity.IDLE_WAITING_AGENT],
        idle_no_work=seconds[Activity.IDLE_NO_WORK],
        faulted=seconds[Activity.FAULTED],
        estopped=seconds[Activity.ESTOPPED],
        offline=seconds[Activity.OFFLINE],
        robot_utilization=whole.robot_utilization,
        execution_utilization=whole.execution_utilization,
        agent_utilization=whole.requested_utilization(AGENT),
        robot_seconds=whole.robot_seconds,
    )
    message.header.stamp = stamp
    return message


def reset_message(tally: ResetTally, *, stamp: Time) -> ResetStatistics:
    """Return ``reset_statistics``."""
    causes = tally.causes.most_common()
    message = ResetStatistics(
        attempts=tally.attempts,
        successes=tally.successes,
        success_rate=tally.rate,
        success_lower_bound=tally.lower,
        mean_seconds=tally.mean_seconds,
        max_seconds=tally.max_seconds,
        retries=tally.retries,
        causes=[cause for cause, _ in causes],
        counts=[count for _, count in causes],
    )
    message.header.stamp = stamp
    return message


def request_record(goal: RunTrials.Goal, *, max_attempts: int) -> RequestRecord:
    """Return a goal as the ledger keeps it.

    :param max_attempts: when the goal leaves it at 0.
    """
    return RequestRecord(
        request_id=goal.request_id or new_request_id(),
        requester=goal.requester or 'operator',
        trials=goal.trials,
        max_attempts=goal.max_attempts or max_attempts,
        seeds=tuple(int(seed) for seed in goal.seeds),
        controller=goal.controller,
        controller_parameters=parameter_values(goal.controller_parameters),
        idea=goal.idea,
        commit=goal.commit,
        confirmation=goal.confirmation,
    )


def contradiction(goal: RunTrials.Goal) -> str:
    """Return what is wrong with a goal, in words; empty when nothing is."""
    if goal.trials < 1:
        return 'trials must be at least 1'
    if goal.requester == CANARY:
        return f"the requester {CANARY} is the station's own, whose trials count for nobody"
    if goal.max_attempts > 8:
        return f'max_attempts is {goal.max_attempts}; it goes from 1 to 8 (0 takes the default)'
    if goal.seeds and len(goal.seeds) != goal.trials:
        return f'{len(goal.seeds)} seeds for {goal.trials} trials: give one each, or none'
    if goal.confirmation and goal.seeds:
        return 'the station draws the seeds of a confirmation block: give none'
    if len(goal.request_id) > 128 or any(c.isspace() for c in goal.request_id):
        return 'request_id must be without spaces and at most 128 characters long'
    return ''


def result_message(result: RequestResult) -> RunTrials.Result:
    """Return how a request ended."""
    summary = result.summary
    return RunTrials.Result(
        outcome=int(result.outcome),
        error_code=int(result.error_code),
        message=result.message,
        request_id=result.request.request_id,
        completed=summary.trials,
        successes=summary.successes,
        first_attempt_successes=summary.first_attempt_successes,
        excluded=summary.excluded,
        success_lower_bound=summary.lower,
    )
