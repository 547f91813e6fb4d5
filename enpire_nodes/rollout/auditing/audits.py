"""Where the audits of a run stand: what its book says, entry by entry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from enpire_nodes.rollout.auditing import book
from enpire_nodes.rollout.auditing.alarm import CANARY, PERSON, SECOND
from enpire_nodes.rollout.auditing.canaries import CanaryKind, failed
from enpire_nodes.rollout.auditing.tally import Tally
from enpire_nodes.rollout.records import VerdictOutcome


@dataclass(slots=True)
class AuditedTrial:
    """One closed trial.

    :param canary: its kind; empty for every other trial.
    :param sampled: drawn for a person to label.
    :param verdicts: the judge's, by attempt (from 1); attempts without one are left out.
    :param labels: what people said last, by attempt.
    :param contradicted: auditors that said the opposite of a verdict, with the attempt.
    :param second_looked: the second verifier has said something of it.
    """

    trial_id: str
    environment_digest: str
    canary: str
    sampled: bool
    verdicts: dict[int, VerdictOutcome]
    labels: dict[int, VerdictOutcome] = field(default_factory=dict)
    contradicted: dict[str, int] = field(default_factory=dict)
    second_looked: bool = False

    @property
    def labelled(self) -> bool:
        """Whether every attempt that was judged has a label."""
        return set(self.labels) >= set(self.verdicts)

    @property
    def reason(self) -> str:
        """Why a person should look at it, in words; empty when nobody need."""
        reasons = ['drawn'] if self.sampled else []
        if VerdictOutcome.UNCERTAIN in self.verdicts.values():
            reasons.append('uncertain')
        reasons += [
            f'{auditor} contradicts attempt {attempt}'
            for auditor, attempt in self.contradicted.items()
        ]
        return ', '.join(reasons)


class Findings:
    """What the auditors said; of several words on one attempt by one auditor the newest counts."""

    def __init__(self) -> None:
        self.tallies: dict[str, Tally] = {}
        self.contradictions: list[tuple[str, str, int]] = []  # auditor, trial, attempt
        self._said: dict[tuple[str, str, int], tuple[VerdictOutcome, VerdictOutcome]] = {}

    def put(self, auditor: str, trial: AuditedTrial, attempt: int, says: VerdictOutcome) -> None:
        """Count what an auditor says of an attempt that was judged."""
        key, verdict = (auditor, trial.trial_id, attempt), trial.verdicts[attempt]
        tally = self.tallies.setdefault(auditor, Tally())
        if key in self._said:
            tally.add(*self._said[key], count=-1)
        self._said[key] = (verdict, says)
        tally.add(verdict, says)
        if key in self.contradictions:
            self.contradictions.remove(key)
        if opposite(verdict, says):
            self.contradictions.append(key)

    def said_by(self, auditor: str) -> dict[tuple[str, int], VerdictOutcome]:
        """Return what an auditor has said of which attempts, by trial and number."""
        return {
            (trial, attempt): says
            for (name, trial, attempt), (_, says) in self._said.items()
            if name == auditor
        }


class Audits:
    """The state that a book's entries add up to; see :meth:`take`.

    A person's labels enter the rates only for trials that were drawn, and only when every judged
    attempt of the trial is labelled: what somebody looked at because it seemed odd is no sample.
    """

    def __init__(self) -> None:
        self.trials: dict[str, AuditedTrial] = {}
        self.environment_digest = ''
        self.alarm = ''
        self.human_seconds: Counter[str] = Counter()
        self.canaries = self.canaries_failed = 0
        #: Of this environment.
        self.whole = Findings()
        #: Since the last time that somebody cleared an alarm.
        self.fresh = Findings()

    @classmethod
    def of(cls, run: Path) -> Audits:
        """Return where the audits of a run stand now.

        :raises StationError: RUNNER_LEDGER_FAILED, the book was tampered with.
        """
        audits = cls()
        audits.take(book.AuditBook(run).news())
        return audits

    def take(self, entries: Iterable[book.Entry]) -> None:
        """Go on by some entries."""
        for entry in entries:
            taker = self._TAKERS.get(entry.kind)
            if taker is not None:
                taker(self, entry.data)

    def waiting(self) -> list[AuditedTrial]:
        """Return the trials that a person should look at and has not, oldest first."""
        return [trial for trial in self.trials.values() if trial.reason and not trial.labelled]

    @property
    def sampled(self) -> list[AuditedTrial]:
        """The trials that were drawn."""
        return [trial for trial in self.trials.values() if trial.sampled]

    def _trial(self, data: dict[str, Any]) -> None:
        if data['trial_id'] in self.trials:
            return
        verdicts = {int(n): VerdictOutcome[name] for n, name in data['verdicts'].items()}
        trial = AuditedTrial(
            data['trial_id'],
            data['environment_digest'],
            data['canary'],
            data['sampled'],
            verdicts,
        )
        self.trials[trial.trial_id] = trial
        if trial.environment_digest != self.environment_digest:
            self.environment_digest = trial.environment_digest
            self.whole, self.fresh = Findings(), Findings()
        if trial.canary and verdicts:
            kind, last = CanaryKind(trial.canary), max(verdicts)
            self.canaries += 1
            self.canaries_failed += bool(failed(kind, verdicts[last]))
            self._put(CANARY, trial, last, kind.truth)

    def _finding(self, data: dict[str, Any]) -> None:
        trial = self.trials.get(data['trial_id'])
        attempt, says = data['attempt'], VerdictOutcome[data['says']]
        if trial is None or attempt not in trial.verdicts:
            return
        if opposite(trial.verdicts[attempt], says):
            trial.contradicted[data['auditor']] = attempt
        trial.second_looked |= data['auditor'] == SECOND
        self._put(data['auditor'], trial, attempt, says)

    def _label(self, data: dict[str, Any]) -> None:
        self.human_seconds['label'] += data['seconds']
        trial = self.trials.get(data['trial_id'])
        if trial is None or data['attempt'] not in trial.verdicts:
            return
        trial.labels[data['attempt']] = VerdictOutcome[data['label']]
        if trial.sampled and trial.labelled:
            for attempt, label in trial.labels.items():
                self._put(PERSON, trial, attempt, label)

    def _alarm(self, data: dict[str, Any]) -> None:
        self.alarm = self.alarm or data['message']

    def _clear(self, data: dict[str, Any]) -> None:
        self.human_seconds['review'] += data['seconds']
        self.alarm = ''
        self.fresh = Findings()

    def _put(self, auditor: str, trial: AuditedTrial, attempt: int, says: VerdictOutcome) -> None:
        if trial.environment_digest == self.environment_digest:
            for findings in (self.whole, self.fresh):
                findings.put(auditor, trial, attempt, says)

    _TAKERS = {
        book.TRIAL: _trial,
        book.FINDING: _finding,
        book.LABEL: _label,
        book.ALARM: _alarm,
        book.CLEAR: _clear,
    }


def opposite(verdict: VerdictOutcome, says: VerdictOutcome) -> bool:
    """Whether one is SUCCESS and the other FAILURE."""
    return {verdict, says} == {VerdictOutcome.SUCCESS, VerdictOutcome.FAILURE}
