"""Where the audits of a run stand: what its book says, entry by entry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from enpire_nodes.rollout.auditing import book
from enpire_nodes.rollout.auditing.alarm import CANARY, PERSON
from enpire_nodes.rollout.auditing.canaries import CanaryKind, failed
from enpire_nodes.rollout.auditing.tally import Tally
from enpire_nodes.rollout.ledger.chain import Entry
from enpire_nodes.rollout.records import VerdictOutcome


@dataclass(slots=True)
class AuditedTrial:
    """One closed trial.

    :param canary: its kind; empty for every other trial.
    :param sampled: drawn for a person to label.
    :param verdicts: the judge's, by attempt (from 1); attempts without one are left out.
    :param labels: what people said last, by attempt.
    :param said: what the other auditors said last, by auditor and attempt.
    """

    trial_id: str
    environment_digest: str
    canary: str
    sampled: bool
    verdicts: dict[int, VerdictOutcome]
    labels: dict[int, VerdictOutcome] = field(default_factory=dict)
    said: dict[tuple[str, int], VerdictOutcome] = field(default_factory=dict)

    @property
    def labelled(self) -> bool:
        """Whether every attempt that was judged has a label."""
        return set(self.labels) >= set(self.verdicts)

    @property
    def odd(self) -> bool:
        """Whether the judge was unsure of it, or an auditor contradicts the judge."""
        return VerdictOutcome.UNCERTAIN in self.verdicts.values() or any(
            opposite(self.verdicts[attempt], says) for (_, attempt), says in self.said.items()
        )

    def unseen_by(self, auditor: str) -> set[int]:
        """Return the attempts that were judged and of which an auditor has said nothing."""
        return {attempt for attempt in self.verdicts if (auditor, attempt) not in self.said}


class Findings:
    """What the auditors said; of several words on one attempt by one auditor the newest counts."""

    def __init__(self) -> None:
        self.tallies: dict[str, Tally] = {}
        # by auditor, trial and attempt, the newest last: the verdict, and what the auditor says
        self._said: dict[tuple[str, str, int], tuple[VerdictOutcome, VerdictOutcome]] = {}

    def put(self, auditor: str, trial: AuditedTrial, attempt: int, says: VerdictOutcome) -> None:
        """Count what an auditor says of an attempt that was judged."""
        key, verdict = (auditor, trial.trial_id, attempt), trial.verdicts[attempt]
        tally = self.tallies.setdefault(auditor, Tally())
        if key in self._said:
            tally.add(*self._said.pop(key), count=-1)
        self._said[key] = (verdict, says)
        tally.add(verdict, says)

    @property
    def suspects(self) -> list[str]:
        """The trials with an attempt that an auditor contradicts, the newest last."""
        found = [trial for (_, trial, _), words in self._said.items() if opposite(*words)]
        return list(dict.fromkeys(found))

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

    What is said of a trial that was over when somebody cleared an alarm raises none again,
    whenever it is said: the judge of that time has been looked at. It enters the rates all the
    same.
    """

    def __init__(self) -> None:
        self.trials: dict[str, AuditedTrial] = {}
        self.environment_digest = ''
        self.alarm = ''
        self.human_seconds: Counter[str] = Counter()
        self.canaries = self.canaries_failed = 0
        #: Of this environment.
        self.whole = Findings()
        #: Of the trials after the last time that somebody cleared an alarm.
        self.fresh = Findings()
        self._looked_at: set[str] = set()  # trials before that time
        self._cleared = 0  # number of that entry

    @classmethod
    def of(cls, run: Path) -> Audits:
        """Return where the audits of a run stand now.

        :raises StationError: RUNNER_LEDGER_FAILED, the book was tampered with.
        """
        audits = cls()
        audits.take(book.AuditBook(run).news())
        return audits

    def take(self, entries: Iterable[Entry]) -> None:
        """Go on by some entries."""
        for entry in entries:
            taker = self._TAKERS.get(entry.kind)
            if taker is not None:
                taker(self, entry.data, entry.sequence)

    def waiting(self) -> list[AuditedTrial]:
        """Return the trials that a person should look at and has not, oldest first."""
        return [
            trial
            for trial in self.trials.values()
            if (trial.sampled or trial.odd) and not (trial.labelled or trial.canary)
        ]

    @property
    def sampled(self) -> list[AuditedTrial]:
        """The trials that were drawn."""
        return [trial for trial in self.trials.values() if trial.sampled]

    def _trial(self, data: dict[str, Any], _: int) -> None:
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

    def _finding(self, data: dict[str, Any], _: int) -> None:
        trial = self.trials.get(data['trial_id'])
        attempt, says = data['attempt'], VerdictOutcome[data['says']]
        if trial is None or attempt not in trial.verdicts:
            return
        trial.said[data['auditor'], attempt] = says
        self._put(data['auditor'], trial, attempt, says)

    def _label(self, data: dict[str, Any], _: int) -> None:
        self.human_seconds['label'] += data['seconds']
        trial = self.trials.get(data['trial_id'])
        if trial is None or data['attempt'] not in trial.verdicts:
            return
        trial.labels[data['attempt']] = VerdictOutcome[data['label']]
        if trial.sampled and trial.labelled:
            for attempt, label in trial.labels.items():
                self._put(PERSON, trial, attempt, label)

    def _alarm(self, data: dict[str, Any], number: int) -> None:
        if data.get('seen', number) >= self._cleared:
            self.alarm = self.alarm or data['message']

    def _clear(self, data: dict[str, Any], number: int) -> None:
        self.human_seconds['review'] += data['seconds']
        self.alarm, self._cleared = '', number
        self.fresh = Findings()
        self._looked_at = {*self.trials, *data.get('unheard', ())}

    def _put(self, auditor: str, trial: AuditedTrial, attempt: int, says: VerdictOutcome) -> None:
        if trial.environment_digest != self.environment_digest:
            return
        self.whole.put(auditor, trial, attempt, says)
        if trial.trial_id not in self._looked_at:
            self.fresh.put(auditor, trial, attempt, says)

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
