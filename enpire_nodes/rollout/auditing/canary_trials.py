"""Running canaries between the trials of a request: the logic of the runner's ``canary_every``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
import time
from typing import Protocol

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.auditing.canaries import (
    CANARY,
    CanaryKind,
    failed,
    StoredEvidence,
    Turns,
)
from enpire_nodes.rollout.auditing.doubt import Doubt
from enpire_nodes.rollout.ledger import Ledger
from enpire_nodes.rollout.ledger.chain import NOTE, TRIAL_CLOSED
from enpire_nodes.rollout.record_json import from_json
from enpire_nodes.rollout.records import (
    AttemptRecord,
    Execution,
    RequestRecord,
    TrialOutcome,
    TrialRecord,
    VerdictOutcome,
    VerdictRecord,
)
from enpire_nodes.rollout.trial.port import ExecuteResult, Station
from enpire_nodes.rollout.trial.protocol import run_trial
from enpire_nodes.rollout.trial.requests import Identity, new_request_id, new_trial_id
from enpire_nodes.rollout.trial.timeline import Timeline
from enpire_nodes.tasks.api import OPERATOR_CODES

#: The controller that never succeeds: it holds still.
HOLD = 'hold'
#: s of the station's clock in which the arm stands still before the judge is asked at the onset.
_STILL = 0.5
_PATIENCE = 15.0  # s of the wall clock for that
_TRIES = 3  # of a canary that comes to no verdict
#: In a note of the ledger: the controller that a canary replaced; empty when it is back.
_REPLACED = 'canary_replaced_controller'
_SEED_APART = 2**32  # canaries draw their starting poses apart from the trials'

_OUTCOMES = {
    VerdictOutcome.SUCCESS: TrialOutcome.SUCCESS,
    VerdictOutcome.FAILURE: TrialOutcome.FAILURE,
}


class CanaryCalls(Protocol):
    """What canaries need of a station beyond the trial protocol."""

    def current_controller(self) -> str:
        """Return the name of the controller in charge."""

    def judge_evidence(self, stored: StoredEvidence) -> VerdictRecord:
        """Let the judge judge stored evidence.

        :raises StationError: ENVIRONMENT_EVIDENCE_UNREADABLE, or that of a node that is lost.
        """


@dataclass(slots=True)
class CanaryTrials:
    """Runs the canaries that are due; each is a trial of a request of its own.

    :param calls: to the same station as ``station``.
    :param every: trials between two turns of canaries; 0 never.
    :param catalogue: stored evidence; one success and one failure are replayed each turn, in
        turn.
    :param identity: as for :class:`~enpire_nodes.rollout.trial.requests.RequestRunner`, likewise
        ``draw_seed``, ``trial_started`` and ``trial_closed``.
    """

    station: Station
    calls: CanaryCalls
    ledger: Ledger
    timeline: Timeline
    doubt: Doubt
    every: int
    catalogue: tuple[StoredEvidence, ...]
    identity: Callable[[], Identity]
    draw_seed: Callable[[int], int]
    trial_started: Callable[[TrialRecord], None] = lambda trial: None
    trial_closed: Callable[[TrialRecord], None] = lambda trial: None
    _restore: str = field(default='', init=False)
    _turns: Turns = field(default_factory=Turns, init=False)
    _read: int = field(default=0, init=False)  # number of the last entry that _turns knows

    def __post_init__(self) -> None:
        """Find the controller that an earlier runner has not given back."""
        for entry in self.ledger.entries(NOTE):
            self._restore = entry.data.get(_REPLACED, self._restore)

    def run_due(self) -> None:
        """Run what is due before the next trial.

        :raises StationError: RUNNER_JUDGE_DOUBTED, the judge got one wrong; or what kept the
            station from running one, or from coming to a verdict on it, several times in a row.
        """
        self._put_back()
        if self.every <= 0:
            return
        self._catch_up()
        if self._turns.since < self.every:
            return
        counts = self._turns.counts
        for success in (True, False):
            stored = [item for item in self.catalogue if item.success is success]
            if stored:
                self._weigh(self._replay(stored[counts[stored[0].kind] % len(stored)]))
        kind, number = self._turns.scene, counts.total()
        for index in range(_TRIES):
            trial = self._in_scene(kind, number + index)
            if trial.judged:
                return
            if trial.outcome is TrialOutcome.CANCELED:
                raise StationError(ErrorCode.RUNNER_CANCELED, trial.message)
            if trial.error_code in OPERATOR_CODES:
                raise StationError(ErrorCode.RUNNER_OPERATOR_NEEDED, trial.message)
        silent = trial.error_code in (ErrorCode.NONE, ErrorCode.UNSET)
        raise StationError(
            ErrorCode.REWARD_INTERNAL if silent else trial.error_code,
            f'the canary "{kind.words}" came to no verdict {_TRIES} times in a row, so that the '
            f'judge could not be tested; the last time: {trial.message}',
        )

    def _catch_up(self) -> None:
        for entry in self.ledger.entries(TRIAL_CLOSED, after=self._read):
            self._turns.add(from_json(TrialRecord, entry.data))
            self._read = entry.sequence

    def _weigh(self, trial: TrialRecord) -> None:
        """Raise the alarm if the judge got a canary wrong."""
        for attempt in trial.judged:
            words = failed(CanaryKind(trial.idea), attempt.verdict.outcome)
            if words:
                self.doubt.raise_alarm(words, [trial.trial_id])

    def _in_scene(self, kind: CanaryKind, number: int) -> TrialRecord:
        hold = kind is CanaryKind.KNOWN_FAILURE
        if hold:
            self._replace()
        name = self.station.prepare(HOLD if hold else '', {})
        trial = self._trial(kind, controller=name, seed=self.draw_seed(_SEED_APART + number))
        bag = self.ledger.run.bag(trial.trial_id)
        self.trial_started(trial)
        with self.timeline.trial():
            closed = run_trial(
                trial,
                bag.absolute(),
                station=self.station if hold else _Onset(self.station),
                book=self.ledger,
                timeline=self.timeline,
                relative_bag=self.ledger.run.relative(bag),
            )
        self.trial_closed(closed)
        # first: a policy that is lost now must not hide a judge gone wrong
        try:
            self._weigh(closed)
        finally:
            self._put_back()
        return closed

    def _replace(self) -> None:
        name = self.calls.current_controller()
        if name != HOLD:
            # on the disk first: a runner that dies now must not leave the policy on hold
            self.ledger.add_note({_REPLACED: name})
            self._restore = name

    def _put_back(self) -> None:
        """Give the policy back its controller, at the latest before the next trial."""
        if self._restore:
            self.station.prepare(self._restore, {})
            self.ledger.add_note({_REPLACED: ''})
            self._restore = ''

    def _replay(self, stored: StoredEvidence) -> TrialRecord:
        self.station.prepare('', {})  # as before any trial: a frozen station checks itself
        trial = self._trial(stored.kind, controller='', seed=0)
        start = self.station.now_ns()
        trial = replace(trial, start_ns=start)
        self.ledger.start_trial(trial)
        try:
            verdict = self.calls.judge_evidence(stored)
            if verdict.outcome is VerdictOutcome.UNSET:
                raise StationError(
                    ErrorCode.REWARD_INTERNAL,
                    f'the judge said nothing of {stored.path}; see its log',
                )
            self.station.prepare('', {})  # and after its verdict
        except StationError as error:
            self._close(
                trial,
                outcome=TrialOutcome.FAULTED,
                infrastructure=True,
                error_code=error.code,
                message=error.message,
            )
            raise
        attempt = AttemptRecord(
            index=1,
            start_ns=start,
            end_ns=self.station.now_ns(),
            execution=Execution.COMPLETED,
            error_code=ErrorCode.NONE,
            message=f'no policy ran: evidence {stored.path.name}, sha256 {stored.digest}',
            verdict=verdict,
        )
        return self._close(
            trial,
            outcome=_OUTCOMES.get(verdict.outcome, TrialOutcome.UNCERTAIN),
            error_code=ErrorCode.NONE,
            message=attempt.message,
            attempts=(attempt,),
        )

    def _close(self, trial: TrialRecord, **fields: object) -> TrialRecord:
        end = self.station.now_ns()
        closed = self.ledger.close_trial(replace(trial, end_ns=end, stamp_ns=end, **fields))
        self.trial_closed(closed)
        return closed

    def _trial(self, kind: CanaryKind, *, controller: str, seed: int) -> TrialRecord:
        request = self.ledger.start_request(
            RequestRecord(
                request_id=f'{CANARY}-{new_request_id()}',
                requester=CANARY,
                trials=1,
                max_attempts=1,
                seeds=(seed,),
                controller=controller,
                idea=kind.value,
            )
        )
        identity = self.identity()
        return TrialRecord(
            trial_id=new_trial_id(identity.station),
            request_id=request.request_id,
            requester=CANARY,
            station=identity.station,
            task=identity.task,
            idea=kind.value,
            environment_digest=identity.environment_digest,
            controller=controller,
            seed=seed,
            max_attempts=1,
        )


class _Onset:
    """A station that has the pin in the hand over the hole judged, instead of running a policy."""

    def __init__(self, station: Station) -> None:
        self._station = station

    def __getattr__(self, name: str) -> object:
        return getattr(self._station, name)

    def execute(self, trial_id: str, attempt: int, **_: object) -> ExecuteResult:
        """Let the arm stand still for a moment."""
        start = self._station.now_ns()
        patience = time.monotonic() + _PATIENCE
        while (now := self._station.now_ns()) < start + int(_STILL * 1e9):
            self._station.check()
            if time.monotonic() > patience:
                raise StationError(
                    ErrorCode.RUNNER_STAGE_TIMEOUT,
                    f"the station's clock went on by {(now - start) / 1e9:.2f} s of {_STILL} s in "
                    f'{_PATIENCE:.0f} s: see whether the driver still runs',
                )
            time.sleep(0.01)
        return ExecuteResult(
            Execution.COMPLETED,
            message='no policy ran: the judge was asked at the onset',
            can_retry=True,
            start_ns=start,
            settle_start_ns=start,
            settled_ns=now,
        )
