"""A trial while it runs, and the rules by which it ends."""

from __future__ import annotations

from dataclasses import replace
import time

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.records import (
    AttemptRecord,
    Execution,
    TrialOutcome,
    TrialRecord,
    VerdictOutcome,
    VerdictRecord,
)
from enpire_nodes.rollout.trial.port import ExecuteResult, Recording, ResetResult

_OUTCOMES = {
    ErrorCode.RUNNER_NODE_LOST: TrialOutcome.INTERRUPTED,
    ErrorCode.RUNNER_INTERRUPTED: TrialOutcome.INTERRUPTED,
    ErrorCode.RUNNER_CANCELED: TrialOutcome.CANCELED,
    ErrorCode.RESET_CANCELED: TrialOutcome.CANCELED,
    ErrorCode.POLICY_CANCELED: TrialOutcome.CANCELED,
}
_JUDGED = (TrialOutcome.SUCCESS, TrialOutcome.FAILURE, TrialOutcome.UNCERTAIN)


class Draft:
    """What is known of a trial so far.

    A trial counts as soon as its policy has begun to run: whatever ends it after that, a crash of
    another node included, might be the policy's doing. Before that, no policy can be to blame, and
    the trial is left out of the success rate as ``infrastructure``.

    :param trial: as its STARTED row has it.
    """

    def __init__(self, trial: TrialRecord) -> None:
        self.trial = trial
        self.policy_began = False
        self._started = time.monotonic()

    @property
    def attempts(self) -> tuple[AttemptRecord, ...]:
        """The attempts that ended, in order."""
        return self.trial.attempts

    def add_seconds(self, field: str, seconds: float) -> None:
        """Add to ``reset_seconds``, ``execute_seconds`` or ``verify_seconds``."""
        self._set(**{field: getattr(self.trial, field) + max(0.0, seconds)})

    def add_reset(self, result: ResetResult) -> None:
        """Keep what the reset needed."""
        self._set(reset_retries=len(result.recoveries), reset_recoveries=result.recoveries)

    def add_attempt(self, attempt: AttemptRecord, result: ExecuteResult) -> None:
        """Keep an attempt that is not judged yet, and what ran in it."""
        not_run = result.execution in (Execution.UNSAFE, Execution.CANCELED) and not result.steps
        self.policy_began |= not not_run
        self._set(attempts=(*self.attempts, attempt))
        if result.controller:
            self._set(
                controller=result.controller,
                controller_digest=result.controller_digest,
                controller_parameters=result.controller_parameters,
            )

    def add_verdict(self, verdict: VerdictRecord) -> None:
        """Keep the verdict on the last attempt."""
        last = replace(self.attempts[-1], verdict=verdict)
        self._set(attempts=(*self.attempts[:-1], last))

    def fail_reset(self, result: ResetResult) -> None:
        """End the trial because the scene could not be prepared."""
        if result.error_code in _OUTCOMES:
            self.fail(StationError(result.error_code, result.message))
            return
        code = result.error_code
        message = result.message
        if result.operator_needed:
            message = f'a person is needed: {message}'
        self._set(outcome=TrialOutcome.RESET_FAILED, error_code=code, message=message)

    def fail(self, error: StationError) -> None:
        """End the trial because of what stopped it."""
        outcome = _OUTCOMES.get(error.code, TrialOutcome.FAULTED)
        self._set(outcome=outcome, error_code=error.code, message=error.message)

    def judge(self, *, can_retry: bool) -> None:
        """End the trial by the verdicts on its attempts."""
        outcomes = [attempt.verdict.outcome for attempt in self.attempts]
        count = len(outcomes)
        if VerdictOutcome.SUCCESS in outcomes:
            self._end(TrialOutcome.SUCCESS, f'success at attempt {count}')
            return
        uncertain = next(
            (a for a in self.attempts if a.verdict.outcome is not VerdictOutcome.FAILURE), None
        )
        why = f'no success in {count} of {self.trial.max_attempts} attempts'
        if count < self.trial.max_attempts and not can_retry:
            why += ', and another one made no sense'
        if uncertain is None:
            self._end(TrialOutcome.FAILURE, why)
        else:
            reason = uncertain.verdict.message
            why += f'; no verdict on attempt {uncertain.index}: {reason}'
            self._end(TrialOutcome.UNCERTAIN, why)

    def add_recording(self, recording: Recording, bag: str) -> None:
        """Keep the bag; a trial whose evidence cannot be read is no success, nor a failure."""
        self._set(bag=bag, bag_digest=recording.digest)
        if not recording.usable and self.trial.outcome in _JUDGED:
            was = self.trial.outcome.name
            self._set(
                outcome=TrialOutcome.FAULTED,
                error_code=recording.error_code,
                message=f'the verdict was {was}, but its bag is lost: {recording.message}',
            )
        elif not (recording.usable and recording.complete) and (
            recording.error_code not in (self.trial.error_code, ErrorCode.RECORDER_NOT_RECORDING)
        ):
            self._set(message=f'{self.trial.message}; the bag: {recording.message}')

    def closed(self, end_ns: int) -> TrialRecord:
        """Return the record for the terminal row; ``end_ns`` by the station's clock."""
        return replace(
            self.trial,
            end_ns=end_ns,
            stamp_ns=end_ns,
            wall_seconds=time.monotonic() - self._started,
            infrastructure=not self.policy_began,
        )

    def _end(self, outcome: TrialOutcome, message: str) -> None:
        self._set(outcome=outcome, error_code=ErrorCode.NONE, message=message)

    def _set(self, **fields: object) -> None:
        self.trial = replace(self.trial, **fields)
