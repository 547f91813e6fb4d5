"""What the ledger says of a campaign's trials: read on, never kept apart from it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from enpire_nodes.rollout.ledger import LedgerReader
from enpire_nodes.rollout.ledger.chain import TRIAL_CLOSED, TRIAL_STARTED
from enpire_nodes.rollout.record_json import from_json
from enpire_nodes.rollout.records import CANARY, TrialRecord
from enpire_nodes.rollout.statistics import summarize, Summary


@dataclass(slots=True)
class Evidence:
    """Follows a ledger from the moment at which a campaign began.

    :param since_ns: by the wall clock; what was run before does not count.
    """

    ledger: LedgerReader
    since_ns: int = 0
    trials: dict[str, list[TrialRecord]] = field(default_factory=dict)
    robot_seconds: float = 0.0
    started: int = 0
    head: str = ''
    _sequence: int = 0
    _closed: dict[str, TrialRecord] = field(default_factory=dict)

    def read(self) -> list[TrialRecord]:
        """Take in what is new; return the trials that were closed since the last call."""
        fresh = []
        for entry in self.ledger.entries(after=self._sequence):
            self._sequence, self.head = entry.sequence, entry.digest
            if entry.wall_ns < self.since_ns:
                continue
            if entry.kind == TRIAL_STARTED and entry.data.get('requester') != CANARY:
                self.started += 1
            elif entry.kind == TRIAL_CLOSED:
                trial = from_json(TrialRecord, {**entry.data, 'ledger_digest': entry.digest})
                self._closed[trial.trial_id] = trial
                self.robot_seconds += trial.robot_seconds
                if trial.requester != CANARY:
                    self.trials.setdefault(trial.request_id, []).append(trial)
                    fresh.append(trial)
        return fresh

    @property
    def closed(self) -> int:
        """How many trials of the campaign are closed, canaries left out."""
        return sum(map(len, self.trials.values()))

    def newest(self, count: int) -> list[TrialRecord]:
        """Return the trials that were closed last, the newest at the end."""
        return list(self._closed.values())[-count:]

    def trial(self, trial_id: str) -> TrialRecord | None:
        """Return a closed trial of the campaign."""
        return self._closed.get(trial_id)

    def of(self, request_id: str) -> list[TrialRecord]:
        """Return the closed trials of a request, in order."""
        return self.trials.get(request_id, [])

    def done(self, request_id: str) -> int:
        """Return how many trials of a request are closed."""
        return len(self.of(request_id))

    def summary(self, request_ids: Iterable[str]) -> Summary:
        """Summarize the trials of some requests, in the order given."""
        return summarize([trial for request_id in request_ids for trial in self.of(request_id)])

    def pairs(self, first: str, second: str) -> list[tuple[TrialRecord, TrialRecord]]:
        """Return the trials of two requests on the same seeds, where both count."""
        others = {trial.seed: trial for trial in self.of(second) if trial.counted}
        return [
            (trial, others[trial.seed])
            for trial in self.of(first)
            if trial.counted and trial.seed in others
        ]
