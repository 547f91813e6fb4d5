"""What the nodes of a station answer, as the trial protocol takes it.

An empty answer, which is what a client sees of a server whose callback raised, is an error here.
"""

from __future__ import annotations

import re

from enpire_msgs.action import ExecutePolicy, ResetScene
from enpire_msgs.srv import Judge, StopRecording
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.messages import nanoseconds, parameter_values, verdict_record
from enpire_nodes.rollout.records import Execution, VerdictOutcome, VerdictRecord
from enpire_nodes.rollout.trial.port import ExecuteResult, Recording, ResetResult
from enpire_nodes.ros import convert
from enpire_nodes.tasks.api import Pose


def reset_result(result: ResetScene.Result) -> ResetResult:
    """Return how ``reset_scene`` ended."""
    recoveries = tuple(result.recoveries)
    if result.outcome == ResetScene.Result.READY:
        fixture = Pose(convert.position_of(result.fixture), convert.quaternion_of(result.fixture))
        return ResetResult(fixture, message=result.message, recoveries=recoveries)
    return ResetResult(
        None,
        code(result.error_code, ErrorCode.RESET_INTERNAL),
        result.message or 'the reset gave no reason; see the log of scene_reset',
        result.outcome == ResetScene.Result.OPERATOR_NEEDED,
        recoveries,
    )


def execute_result(result: ExecutePolicy.Result) -> ExecuteResult:
    """Return how ``execute_policy`` ended."""
    clean = result.error_code == ErrorCode.NONE
    return ExecuteResult(
        execution=Execution(result.outcome),
        error_code=(
            ErrorCode.NONE if clean else code(result.error_code, ErrorCode.POLICY_INTERNAL)
        ),
        message=result.message,
        can_retry=result.can_retry,
        start_ns=nanoseconds(result.start),
        settle_start_ns=nanoseconds(result.settle_start),
        settled_ns=nanoseconds(result.settled),
        steps=result.steps,
        deadline_misses=result.deadline_misses,
        operator_seconds=result.operator_seconds,
        peak_force=result.peak_force,
        depth=result.depth,
        controller=result.controller,
        controller_digest=result.controller_digest,
        controller_parameters=parameter_values(result.controller_parameters),
    )


def verdict(answer: Judge.Response, *, now_ns: int) -> VerdictRecord:
    """Return what ``judge`` decided; a judge that cannot work leaves it UNCERTAIN."""
    if answer.outcome == Judge.Response.DECIDED:
        return verdict_record(answer.verdict)
    return VerdictRecord(
        VerdictOutcome.UNCERTAIN,
        stamp_ns=now_ns,
        error_code=code(answer.error_code, ErrorCode.REWARD_INTERNAL),
        message=answer.message or 'the judge refused without a reason; see its log',
    )


def recording(answer: StopRecording.Response) -> Recording:
    """Return what became of the bag."""
    if answer.outcome == StopRecording.Response.CLOSED:
        return Recording(digest=answer.digest)
    return Recording(
        usable=answer.outcome == StopRecording.Response.INCOMPLETE,
        complete=False,
        error_code=code(answer.error_code, ErrorCode.RECORDER_INTERNAL),
        message=answer.message,
        digest=answer.digest,
    )


def refusal(reason: str) -> StationError:
    """Return the executor's refusal of a controller, with the code that it begins with."""
    match = re.match(r'\[(\d+) \w+\] (.*)', reason, re.DOTALL)
    number, words = (int(match[1]), match[2]) if match else (0, reason)
    return StationError(
        code(number, ErrorCode.RUNNER_BAD_REQUEST), f'the controller was refused: {words}'
    )


def code(value: int, otherwise: ErrorCode) -> ErrorCode:
    """Return a received error code; ``otherwise`` for none, unset or unknown ones."""
    try:
        known = ErrorCode(value)
    except ValueError:
        return otherwise
    return otherwise if known in (ErrorCode.UNSET, ErrorCode.NONE) else known
