"""Between the messages of ``execute_policy`` and the plain types of an attempt."""

from __future__ import annotations

from builtin_interfaces.msg import Time

from enpire_msgs.action import ExecutePolicy
from enpire_msgs.msg import Attempt, Verdict
from enpire_nodes.rollout.controllers.interface import PreviousAttempt
from enpire_nodes.rollout.policy.outcome import EpisodeResult

_EXECUTIONS = {
    value: name.lower()
    for name, value in vars(ExecutePolicy.Result).items()
    if name.isupper() and isinstance(value, int)
}


def previous_attempt(attempt: Attempt) -> PreviousAttempt:
    """Return what a policy may know of an earlier attempt."""
    verdicts = {
        Verdict.SUCCESS: 'success',
        Verdict.FAILURE: 'failure',
        Verdict.UNCERTAIN: 'uncertain',
    }
    return PreviousAttempt(
        index=attempt.index,
        verdict=verdicts.get(attempt.verdict.outcome, 'unset'),
        execution=_EXECUTIONS.get(attempt.execution, 'unset'),
        steps=attempt.steps,
        duration=attempt.duration,
        peak_force=attempt.peak_force,
        depth=attempt.depth,
    )


def result_message(result: EpisodeResult) -> ExecutePolicy.Result:
    """Return the measured part of the result; the node adds what it ran."""
    return ExecutePolicy.Result(
        outcome=result.outcome,
        error_code=result.code,
        message=result.message,
        can_retry=result.can_retry,
        start=result.start or Time(),
        settle_start=result.settle_start or Time(),
        settled=result.settled or Time(),
        steps=result.steps,
        deadline_misses=result.deadline_misses,
        peak_force=result.peak_force,
        depth=max(0.0, result.depth),
    )
