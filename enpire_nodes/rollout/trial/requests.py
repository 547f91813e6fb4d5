"""A request: trials one after another, until they are done or the station cannot go on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import IntEnum
import secrets
import time

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.ledger import Ledger
from enpire_nodes.rollout.records import (
    RequestRecord,
    TrialOutcome,
    TrialRecord,
)
from enpire_nodes.rollout.statistics import summarize, Summary
from enpire_nodes.rollout.trial.port import Station
from enpire_nodes.rollout.trial.protocol import Progress, run_trial
from enpire_nodes.rollout.trial.timeline import Timeline
from enpire_nodes.tasks.api import OPERATOR_CODES

#: Failures that the next trial would meet again.
_HOPELESS = frozenset(
    {
        ErrorCode.RUNNER_ESTOPPED,
        ErrorCode.GATE_ESTOPPED,
        ErrorCode.RUNNER_LEDGER_FAILED,
        ErrorCode.RECORDER_DISK_FULL,
        ErrorCode.ENVIRONMENT_CHANGED,
    }
)

#: Trials in a row in which no policy ran, or that were interrupted, after which to give up.
PATIENCE = 3


class RequestOutcome(IntEnum):
    """How a request ended, as in ``enpire_msgs/RunTrials``."""

    UNSET = 0
    COMPLETED = 1
    STOPPED = 2
    CANCELED = 3
    YIELDED = 4


@dataclass(frozen=True, slots=True)
class RequestResult:
    """How a request ended; ``summary`` is over all trials of it that the ledger holds."""

    outcome: RequestOutcome
    error_code: ErrorCode
    message: str
    request: RequestRecord
    summary: Summary


@dataclass(frozen=True, slots=True)
class Identity:
    """What every trial of a station is marked with."""

    station: str
    task: str
    environment_digest: str = ''


@dataclass(slots=True)
class RequestRunner:
    """Runs requests against a station and its ledger.

    :param identity: asked before every trial.
    :param draw_seed: gives the seed of the trial with this number, counted as they are declared.
    :param trial_started: gets every trial before it starts, ``trial_closed`` when it is closed.
    :param progress: as for :func:`~.protocol.run_trial`.
    """

    station: Station
    ledger: Ledger
    timeline: Timeline
    identity: Callable[[], Identity]
    draw_seed: Callable[[int], int]
    trial_started: Callable[[TrialRecord], None] = lambda trial: None
    trial_closed: Callable[[TrialRecord], None] = lambda trial: None
    progress: Progress = lambda attempt, verdict: None
    patience: int = PATIENCE
    _futile: int = field(default=0, init=False)

    def run(
        self,
        request: RequestRecord,
        started: Callable[[RequestRecord], None] = lambda request: None,
        *,
        at_most: int = 0,
    ) -> RequestResult:
        """Run what is left of a request.

        :param request: without seeds when the station shall draw them.
        :param started: gets the request as the ledger has it, before the first trial.
        :param at_most: trials to run now; 0 runs all that are left.
        """
        self._futile = 0
        try:
            request = self._noted(request)
            started(request)
            done = len(self.ledger.trials_of_request(request.request_id))
            until = min(request.trials, done + (at_most or request.trials))
            for index in range(done, until):
                stop = self._run_one(request, request.seeds[index])
                if stop is not None:
                    return self._result(request, *stop)
        except StationError as error:
            outcome = RequestOutcome.STOPPED
            if error.code is ErrorCode.RUNNER_CANCELED:
                outcome = RequestOutcome.CANCELED
            return self._result(request, outcome, error.code, error.message)
        outcome = RequestOutcome.COMPLETED if until >= request.trials else RequestOutcome.YIELDED
        return self._result(request, outcome, ErrorCode.NONE, '')

    def _noted(self, request: RequestRecord) -> RequestRecord:
        if request.confirmation:
            self.station.prepare(request.controller, request.controller_parameters)
            digest = self.identity().environment_digest
            request = replace(request, environment_digest=digest)
        if not request.seeds:
            # not the trials: requests that take turns would draw the same seeds
            first = self.ledger.declared_trials()
            seeds = tuple(self.draw_seed(first + index) for index in range(request.trials))
            request = replace(request, seeds=seeds)
        return self.ledger.start_request(request)

    def _run_one(
        self, request: RequestRecord, seed: int
    ) -> tuple[RequestOutcome, ErrorCode, str] | None:
        controller = self.station.prepare(request.controller, request.controller_parameters)
        identity = self.identity()
        trial = TrialRecord(
            trial_id=new_trial_id(identity.station),
            request_id=request.request_id,
            requester=request.requester,
            station=identity.station,
            task=identity.task,
            idea=request.idea,
            commit=request.commit,
            environment_digest=identity.environment_digest,
            controller=controller,
            controller_parameters=request.controller_parameters,
            seed=seed,
            max_attempts=request.max_attempts,
        )
        run = self.ledger.run
        bag = run.bag(trial.trial_id)
        self.trial_started(trial)
        with self.timeline.trial():
            closed = run_trial(
                trial,
                bag.absolute(),
                station=self.station,
                book=self.ledger,
                timeline=self.timeline,
                relative_bag=run.relative(bag),
                progress=self.progress,
            )
        self.trial_closed(closed)
        return self._why_stop(closed)

    def _why_stop(self, trial: TrialRecord) -> tuple[RequestOutcome, ErrorCode, str] | None:
        code, message = trial.error_code, trial.message
        if trial.outcome is TrialOutcome.CANCELED:
            return RequestOutcome.CANCELED, ErrorCode.RUNNER_CANCELED, message
        if trial.outcome is TrialOutcome.RESET_FAILED and code in OPERATOR_CODES:
            return RequestOutcome.STOPPED, ErrorCode.RUNNER_OPERATOR_NEEDED, message
        if code in _HOPELESS:
            return RequestOutcome.STOPPED, code, message
        futile = trial.infrastructure or trial.outcome is TrialOutcome.INTERRUPTED
        self._futile = self._futile + 1 if futile else 0
        if self._futile >= self.patience:
            message = f'{self._futile} trials in a row came to nothing; the last one: {message}'
            return RequestOutcome.STOPPED, code, message
        return None

    def _result(
        self, request: RequestRecord, outcome: RequestOutcome, code: ErrorCode, message: str
    ) -> RequestResult:
        summary = summarize(self.ledger.trials_of_request(request.request_id))
        if not message:
            message = (
                f'{summary.successes} of {summary.counted} trials succeeded, '
                f'{summary.first_attempt_successes} at the first attempt'
            )
        return RequestResult(outcome, code, message, request, summary)


def new_trial_id(station: str) -> str:
    """Return an identifier that sorts by time and no other station draws."""
    when = time.strftime('%Y%m%d-%H%M%S', time.gmtime())
    return f'{station}-{when}-{secrets.token_hex(3)}'


def new_request_id() -> str:
    """Return an identifier that no other request has."""
    return f'{time.strftime("%Y%m%d-%H%M%S", time.gmtime())}-{secrets.token_hex(3)}'
