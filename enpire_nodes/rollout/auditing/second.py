"""The held-out verifier at work: it scores the bags of closed trials, in a thread of its own."""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass
import logging
import os
import queue
import threading

from enpire_nodes.common.errors import StationError
from enpire_nodes.environment.evidence import Evidence
from enpire_nodes.rollout.records import AttemptRecord, TrialRecord, VerdictOutcome
from enpire_nodes.tasks.second_opinion import SecondOpinion

_LOG = logging.getLogger(__name__)
_NICE = 15  # of the thread: nobody waits for it, and the station shares its cores


@dataclass(frozen=True, slots=True)
class Finding:
    """What the second verifier says of an attempt."""

    trial_id: str
    attempt: int
    says: VerdictOutcome
    reason: str


class SecondVerifier:
    """Scores trials one after another, in the order in which they are given.

    :param opinion: of the task.
    :param read: returns what the judge was shown at an attempt; raises StationError when the
        bag does not tell.
    :param found: gets every finding, in the working thread.
    """

    def __init__(
        self,
        opinion: SecondOpinion,
        *,
        read: Callable[[TrialRecord, AttemptRecord], Evidence],
        found: Callable[[Finding], None],
    ) -> None:
        self._opinion, self._read, self._found = opinion, read, found
        self._trials: queue.SimpleQueue[tuple[TrialRecord, Container[int]] | None]
        self._trials, self._given = queue.SimpleQueue(), set()
        self._stopping = False
        self._thread = threading.Thread(target=self._work, name='second verifier', daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """How many trials are still to be scored."""
        return self._trials.qsize()

    def give(self, trial: TrialRecord, attempts: Container[int]) -> None:
        """Have a closed trial scored, once.

        :param attempts: numbers of those that are to be scored, if they were judged.
        """
        if trial.trial_id not in self._given:
            self._given.add(trial.trial_id)
            self._trials.put((trial, attempts))

    def close(self) -> None:
        """Stop after the attempt under way; what is left is scored after the next start."""
        self._stopping = True
        self._trials.put(None)
        self._thread.join(timeout=5.0)

    def _work(self) -> None:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
        while (given := self._trials.get()) is not None:
            trial, attempts = given
            for attempt in trial.judged:
                if self._stopping:
                    return
                if attempt.index in attempts:
                    self._found(self._score(trial, attempt))

    def _score(self, trial: TrialRecord, attempt: AttemptRecord) -> Finding:
        try:
            evidence = self._read(trial, attempt)
            opinion = self._opinion.opine(evidence.frames, evidence.states)
            says, reason = VerdictOutcome(int(opinion.outcome)), opinion.reason
        except StationError as error:
            says, reason = VerdictOutcome.UNCERTAIN, error.message
        except Exception as error:  # noqa: BLE001 - one odd bag must not end the audits
            _LOG.exception('trial %s, attempt %d', trial.trial_id, attempt.index)
            says, reason = VerdictOutcome.UNCERTAIN, f'{type(error).__name__}: {error}'
        return Finding(trial.trial_id, attempt.index, says, reason)
