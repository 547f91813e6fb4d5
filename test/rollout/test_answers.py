"""What nodes answer, and that an empty answer is never a success."""

from __future__ import annotations

import pytest

from enpire_msgs.action import ExecutePolicy, ResetScene
from enpire_msgs.msg import Verdict
from enpire_msgs.srv import Judge, StopRecording
from enpire_nodes.common.errors import ErrorCode
from enpire_nodes.rollout import answers
from enpire_nodes.rollout.records import Execution, VerdictOutcome


def test_empty_answers_are_errors():
    reset = answers.reset_result(ResetScene.Result())
    assert reset.fixture is None
    assert reset.error_code is ErrorCode.RESET_INTERNAL
    execution = answers.execute_result(ExecutePolicy.Result())
    assert execution.execution is Execution.UNSET
    assert not execution.to_be_judged
    assert execution.error_code is ErrorCode.POLICY_INTERNAL
    verdict = answers.verdict(Judge.Response(), now_ns=5)
    assert verdict.outcome is VerdictOutcome.UNCERTAIN
    assert verdict.stamp_ns == 5
    recording = answers.recording(StopRecording.Response())
    assert not recording.usable
    assert not recording.complete


def test_a_reset_that_is_ready_has_its_fixture():
    result = ResetScene.Result(outcome=ResetScene.Result.READY, recoveries=['slipped'])
    result.fixture.pose.position.x = 0.25
    ready = answers.reset_result(result)
    assert ready.fixture.position[0] == 0.25
    assert ready.recoveries == ('slipped',)


@pytest.mark.parametrize(
    ('outcome', 'needed'),
    [(ResetScene.Result.FAILED, False), (ResetScene.Result.OPERATOR_NEEDED, True)],
)
def test_a_reset_that_failed_says_who_can_help(outcome, needed):
    result = ResetScene.Result(outcome=outcome, error_code=int(ErrorCode.RESET_PIN_NOT_FOUND))
    failed = answers.reset_result(result)
    assert failed.operator_needed is needed
    assert failed.error_code is ErrorCode.RESET_PIN_NOT_FOUND


@pytest.mark.parametrize(
    ('outcome', 'usable', 'complete'),
    [
        (StopRecording.Response.CLOSED, True, True),
        (StopRecording.Response.INCOMPLETE, True, False),
        (StopRecording.Response.BROKEN, False, False),
        (StopRecording.Response.REFUSED, False, False),
    ],
)
def test_what_a_bag_is_worth(outcome, usable, complete):
    recording = answers.recording(StopRecording.Response(outcome=outcome, digest='d'))
    assert (recording.usable, recording.complete) == (usable, complete)
    assert recording.digest == 'd'


def test_a_verdict_is_taken_as_it_is():
    response = Judge.Response(outcome=Judge.Response.DECIDED)
    response.verdict = Verdict(outcome=Verdict.SUCCESS, error_code=1, latency=0.02)
    verdict = answers.verdict(response, now_ns=0)
    assert verdict.outcome is VerdictOutcome.SUCCESS
    assert verdict.latency == 0.02


@pytest.mark.parametrize(
    ('reason', 'code', 'words'),
    [
        (
            '[300 POLICY_UNKNOWN_CONTROLLER] there is no x',
            ErrorCode.POLICY_UNKNOWN_CONTROLLER,
            'there is no x',
        ),
        ('out of range', ErrorCode.RUNNER_BAD_REQUEST, 'out of range'),
        ('[9999 FUTURE] what', ErrorCode.RUNNER_BAD_REQUEST, 'what'),
    ],
)
def test_a_refusal_keeps_its_code(reason, code, words):
    error = answers.refusal(reason)
    assert error.code is code
    assert error.message == f'the controller was refused: {words}'


@pytest.mark.parametrize('value', [0, 1, 4711])
def test_codes_that_say_nothing_are_replaced(value):
    assert answers.code(value, ErrorCode.RESET_INTERNAL) is ErrorCode.RESET_INTERNAL
