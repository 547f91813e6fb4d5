"""Trial records to the messages of ``enpire_msgs``, and back where a node reads them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from builtin_interfaces.msg import Time
from rcl_interfaces.msg import Parameter as ParameterMessage
from rclpy.parameter import Parameter, parameter_value_to_python

from enpire_msgs.msg import Attempt, Trial, Verdict, Vote
from enpire_nodes.common.errors import ErrorCode
from enpire_nodes.rollout.records import (
    AttemptRecord,
    Execution,
    ParameterValue,
    TrialRecord,
    VerdictOutcome,
    VerdictRecord,
    VoteRecord,
)
from enpire_nodes.ros.convert import nanoseconds


def time_message(nanoseconds: int) -> Time:
    """Return an instant as a message."""
    return Time(sec=nanoseconds // 10**9, nanosec=nanoseconds % 10**9)


def parameter_messages(parameters: Mapping[str, ParameterValue]) -> list[ParameterMessage]:
    """Return named values as parameter messages, sorted by name."""
    return [
        Parameter(name, value=value).to_parameter_msg()
        for name, value in sorted(parameters.items())
    ]


def parameter_values(messages: Iterable[ParameterMessage]) -> dict[str, ParameterValue]:
    """Return parameter messages as named values; arrays become lists."""
    values = {item.name: parameter_value_to_python(item.value) for item in messages}
    return {
        name: value if isinstance(value, bool | int | float | str) else list(value)
        for name, value in values.items()
        if value is not None
    }


def vote_message(vote: VoteRecord) -> Vote:
    """Return a vote as a message."""
    return Vote(
        source=vote.source,
        verdict=int(vote.verdict),
        score=vote.score,
        samples=vote.samples,
        age=vote.age,
        reason=vote.reason,
    )


def vote_record(message: Vote) -> VoteRecord:
    """Return a vote's message as a record."""
    return VoteRecord(
        source=message.source,
        verdict=VerdictOutcome(message.verdict),
        score=message.score,
        samples=message.samples,
        age=message.age,
        reason=message.reason,
    )


def verdict_message(verdict: VerdictRecord, *, trial_id: str, attempt: int) -> Verdict:
    """Return the verdict on an attempt, which counts from 1, as a message."""
    message = Verdict(
        trial_id=trial_id,
        attempt=attempt,
        outcome=int(verdict.outcome),
        outcome_name=verdict.outcome.name,
        score=verdict.score,
        votes=[vote_message(vote) for vote in verdict.votes],
        latency=verdict.latency,
        error_code=int(verdict.error_code),
        message=verdict.message,
        digest=verdict.digest,
    )
    message.header.stamp = time_message(verdict.stamp_ns)
    return message


def verdict_record(message: Verdict) -> VerdictRecord:
    """Return a verdict's message as a record."""
    return VerdictRecord(
        outcome=VerdictOutcome(message.outcome),
        stamp_ns=nanoseconds(message.header.stamp),
        score=message.score,
        votes=tuple(vote_record(vote) for vote in message.votes),
        latency=message.latency,
        error_code=ErrorCode(message.error_code),
        message=message.message,
        digest=message.digest,
    )


def attempt_message(attempt: AttemptRecord, *, trial_id: str) -> Attempt:
    """Return an attempt as a message."""
    return Attempt(
        index=attempt.index,
        start=time_message(attempt.start_ns),
        end=time_message(attempt.end_ns),
        execution=int(attempt.execution),
        error_code=int(attempt.error_code),
        message=attempt.message,
        steps=attempt.steps,
        duration=attempt.duration,
        peak_force=attempt.peak_force,
        depth=attempt.depth,
        deadline_misses=attempt.deadline_misses,
        operator_seconds=attempt.operator_seconds,
        verdict=verdict_message(attempt.verdict, trial_id=trial_id, attempt=attempt.index),
    )


def attempt_record(message: Attempt) -> AttemptRecord:
    """Return an attempt's message as a record."""
    return AttemptRecord(
        index=message.index,
        start_ns=nanoseconds(message.start),
        end_ns=nanoseconds(message.end),
        execution=Execution(message.execution),
        error_code=ErrorCode(message.error_code),
        message=message.message,
        steps=message.steps,
        duration=message.duration,
        peak_force=message.peak_force,
        depth=message.depth,
        deadline_misses=message.deadline_misses,
        operator_seconds=message.operator_seconds,
        verdict=verdict_record(message.verdict),
    )


def trial_message(trial: TrialRecord) -> Trial:
    """Return a trial as a message."""
    message = Trial(
        trial_id=trial.trial_id,
        request_id=trial.request_id,
        requester=trial.requester,
        station=trial.station,
        task=trial.task,
        idea=trial.idea,
        commit=trial.commit,
        environment_digest=trial.environment_digest,
        controller=trial.controller,
        controller_digest=trial.controller_digest,
        controller_parameters=parameter_messages(trial.controller_parameters),
        seed=trial.seed,
        start=time_message(trial.start_ns),
        end=time_message(trial.end_ns),
        outcome=int(trial.outcome),
        outcome_name=trial.outcome.name,
        error_code=int(trial.error_code),
        message=trial.message,
        infrastructure=trial.infrastructure,
        first_attempt_success=trial.first_attempt_success,
        success=trial.success,
        max_attempts=trial.max_attempts,
        attempts=[attempt_message(item, trial_id=trial.trial_id) for item in trial.attempts],
        reset_seconds=trial.reset_seconds,
        execute_seconds=trial.execute_seconds,
        verify_seconds=trial.verify_seconds,
        robot_seconds=trial.robot_seconds,
        wall_seconds=trial.wall_seconds,
        reset_retries=trial.reset_retries,
        reset_recoveries=list(trial.reset_recoveries),
        bag=trial.bag,
        bag_digest=trial.bag_digest,
        ledger_digest=trial.ledger_digest,
    )
    message.header.stamp = time_message(trial.stamp_ns)
    return message
