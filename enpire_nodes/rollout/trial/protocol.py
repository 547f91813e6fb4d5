"""One trial: what happens and in which order, and how every way to fail ends it.

Write-ahead row, recorder, reset, then attempts (execute, settle, judge) until one succeeds or
another makes no sense, recorder closed and checked, terminal row. Plain sequential code over a
:class:`~enpire_nodes.rollout.trial.port.Station`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
import logging
from pathlib import Path
from typing import Protocol

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.records import (
    Activity,
    AttemptRecord,
    Execution,
    TrialRecord,
    VerdictOutcome,
    VerdictRecord,
)
from enpire_nodes.rollout.trial.draft import Draft
from enpire_nodes.rollout.trial.port import ExecuteResult, Recording, Station
from enpire_nodes.rollout.trial.seeds import policy_seed
from enpire_nodes.rollout.trial.timeline import Timeline
from enpire_nodes.tasks.api import Pose

_LOG = logging.getLogger(__name__)


class Book(Protocol):
    """The part of a ledger that a trial needs."""

    def start_trial(self, trial: TrialRecord) -> object:
        """Put the STARTED row on the disk, or raise."""

    def close_trial(self, trial: TrialRecord) -> TrialRecord:
        """Put the one terminal row on the disk; return the record with its digest."""


#: Told of every attempt that begins (index, no verdict) and of every verdict.
Progress = Callable[[int, VerdictRecord | None], None]


def run_trial(
    trial: TrialRecord,
    bag: Path,
    *,
    station: Station,
    book: Book,
    timeline: Timeline,
    relative_bag: str = '',
    progress: Progress = lambda attempt, verdict: None,
) -> TrialRecord:
    """Run one trial to its terminal row.

    :param trial: identifiers, seed and ``max_attempts``; no outcome yet.
    :param bag: directory of the bag to record; must not exist.
    :param relative_bag: how the record names it.
    :return: the closed record; its outcome and error code say what ended it.
    :raises StationError: RUNNER_LEDGER_FAILED; when the first row could not be written, nothing
        has moved, and when the last one could not, the trial is closed at the next start.
    """
    trial = replace(trial, start_ns=station.now_ns())
    book.start_trial(trial)
    draft = Draft(trial)
    work = _Work(draft, station, timeline, progress)
    recorded = False
    try:
        work.idle()
        station.check()
        recorded = True
        station.start_recording(trial.trial_id, bag)
        work.run()
    except StationError as error:
        draft.fail(error)
    except Exception as error:  # noqa: BLE001 - ends the trial, and is reported with it
        _LOG.exception('trial %s', trial.trial_id)
        name = type(error).__name__
        draft.fail(
            StationError(
                ErrorCode.RUNNER_INTERRUPTED,
                f'a defect in the trial runner ended the trial ({name}: {error}); see the log',
            )
        )
    work.idle()
    if recorded:
        recording = _stopped(station, trial.trial_id)
        draft.add_recording(recording, relative_bag if recording.digest or bag.exists() else '')
    return book.close_trial(draft.closed(station.now_ns()))


def _stopped(station: Station, trial_id: str) -> Recording:
    try:
        return station.stop_recording(trial_id)
    except StationError as error:
        return Recording(
            usable=False, complete=False, error_code=error.code, message=error.message
        )


class _Work:
    """The part of a trial in which the arms may move."""

    def __init__(
        self, draft: Draft, station: Station, timeline: Timeline, progress: Progress
    ) -> None:
        self._draft, self._station = draft, station
        self._timeline, self._progress = timeline, progress

    def idle(self) -> None:
        """Say that the robot waits for the station's own bookkeeping."""
        self._enter(Activity.IDLE_NO_WORK)

    def run(self) -> None:
        """Reset, then attempt until done; leaves the outcome in the draft."""
        trial = self._draft.trial
        with self._stage(Activity.RESETTING, 'reset_seconds'):
            ready = self._station.reset(trial.trial_id, trial.seed)
        self._draft.add_reset(ready)
        if ready.fixture is None:
            self._draft.fail_reset(ready)
            return
        can_retry = True
        for attempt in range(1, trial.max_attempts + 1):
            self._station.check()
            result = self._execute(attempt, ready.fixture)
            if not result.to_be_judged:
                self._draft.add_attempt(_attempt(attempt, result), result)
                self._draft.fail(StationError(result.error_code, result.message))
                return
            verdict = self._judge(attempt, result)
            can_retry = result.can_retry
            if verdict.outcome is VerdictOutcome.SUCCESS or not can_retry:
                break
        self._draft.judge(can_retry=can_retry)

    def _execute(self, attempt: int, fixture: Pose) -> ExecuteResult:
        trial = self._draft.trial
        self._progress(attempt, None)
        try:
            with self._stage(Activity.EXECUTING, 'execute_seconds'):
                result = self._station.execute(
                    trial.trial_id,
                    attempt,
                    seed=policy_seed(trial.seed, attempt),
                    fixture=fixture,
                    previous=self._draft.attempts,
                )
        except StationError as error:
            # a refused goal is the one case in which the policy certainly did not run
            self._draft.policy_began |= error.code is not ErrorCode.POLICY_BUSY
            raise
        if result.execution is Execution.UNSET:
            self._draft.policy_began = True
            raise StationError(
                ErrorCode.POLICY_INTERNAL,
                f'the executor gave no result for attempt {attempt}; see its log',
            )
        return result

    def _judge(self, attempt: int, result: ExecuteResult) -> VerdictRecord:
        self._draft.add_attempt(_attempt(attempt, result), result)
        with self._stage(Activity.VERIFYING, 'verify_seconds'):
            verdict = self._station.judge(
                self._draft.trial.trial_id,
                attempt,
                settle_start_ns=result.settle_start_ns,
                settled_ns=result.settled_ns,
            )
        self._draft.add_verdict(verdict)
        self._progress(attempt, verdict)
        return verdict

    @contextmanager
    def _stage(self, activity: Activity, field: str) -> Iterator[None]:
        start = self._station.now_ns()
        self._enter(activity)
        try:
            yield
        finally:
            self._draft.add_seconds(field, (self._station.now_ns() - start) / 1e9)

    def _enter(self, activity: Activity) -> None:
        trial = self._draft.trial
        self._timeline.enter(activity, requester=trial.requester, trial_id=trial.trial_id)


def _attempt(index: int, result: ExecuteResult) -> AttemptRecord:
    return AttemptRecord(
        index=index,
        start_ns=result.start_ns,
        end_ns=result.settled_ns,
        execution=result.execution,
        error_code=result.error_code,
        message=result.message,
        steps=result.steps,
        duration=max(0, result.settle_start_ns - result.start_ns) / 1e9,
        peak_force=result.peak_force,
        depth=result.depth,
        deadline_misses=result.deadline_misses,
        operator_seconds=result.operator_seconds,
    )
