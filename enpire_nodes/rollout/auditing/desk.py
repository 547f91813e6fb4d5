"""The desk where audits arrive: what is said goes into the book, and the alarm rule is asked."""

from __future__ import annotations

from collections.abc import Mapping
import math
from pathlib import Path

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.auditing import book
from enpire_nodes.rollout.auditing.alarm import AlarmRule, TRUTH
from enpire_nodes.rollout.auditing.audits import Audits
from enpire_nodes.rollout.auditing.book import AuditBook
from enpire_nodes.rollout.auditing.canaries import kind_of
from enpire_nodes.rollout.auditing.sample import Sampler
from enpire_nodes.rollout.ledger import LedgerReader
from enpire_nodes.rollout.records import TrialRecord, VerdictOutcome
from enpire_nodes.rollout.run_directory import RunDirectory

_NAMED = 3  # trials that an alarm names
_MOST_SECONDS = 8 * 3600.0  # that one label may have taken


class AuditDesk:
    """The audits of one run. Not thread-safe; several processes may each have one.

    :param run: the run directory.
    :param sampler: draws trials for a person.
    :param rule: raises the alarm; None leaves that to another process.
    """

    def __init__(self, run: Path, sampler: Sampler, rule: AlarmRule | None = None) -> None:
        self._run, self._book = RunDirectory(Path(run)), AuditBook(run)
        self._sampler, self._rule = sampler, rule
        self.audits = Audits()
        self.refresh()

    def refresh(self) -> bool:
        """Take in what the book says by now; return whether there was anything new.

        :raises StationError: RUNNER_LEDGER_FAILED, the book was tampered with.
        """
        entries = self._book.news() if self._book.changed() else []
        self.audits.take(entries)
        if entries:
            self._watch()
        return bool(entries)

    def hear(self, trial: TrialRecord, truths: Mapping[int, bool] | None = None) -> None:
        """Take in a closed trial, once.

        :param truths: whether an attempt, by its number, really was a success, where that is
            known.
        """
        self.refresh()
        verdicts = {str(attempt.index): attempt.verdict.outcome.name for attempt in trial.judged}
        canary = kind_of(trial)
        if trial.closed and trial.trial_id not in self.audits.trials:
            entry = {
                'trial_id': trial.trial_id,
                'requester': trial.requester,
                'environment_digest': trial.environment_digest,
                'outcome': trial.outcome.name,
                'canary': canary.value if canary else '',
                'sampled': bool(verdicts)
                and canary is None
                and self._sampler.draws(trial.trial_id),
                'verdicts': verdicts,
            }
            self._write(book.TRIAL, entry)
        if canary is None:
            for attempt, success in sorted((truths or {}).items()):
                says = VerdictOutcome.SUCCESS if success else VerdictOutcome.FAILURE
                self.find(TRUTH, trial.trial_id, attempt, says)

    def find(
        self, auditor: str, trial_id: str, attempt: int, says: VerdictOutcome, reason: str = ''
    ) -> None:
        """Take in what an auditor says of an attempt that was judged."""
        entry = {
            'auditor': auditor,
            'trial_id': trial_id,
            'attempt': attempt,
            'says': says.name,
            'reason': reason,
        }
        self._write(book.FINDING, entry)

    def label(
        self, trial_id: str, attempt: int, label: VerdictOutcome, *, labeller: str, seconds: float
    ) -> int:
        """Take in what a person says of an attempt.

        :param attempt: 0 means the last one that was judged.
        :param seconds: that the person spent on it.
        :return: number of the attempt.
        :raises StationError: RUNNER_BAD_REQUEST, saying what is wrong with it.
        """
        self.refresh()
        trial = self.audits.trials.get(trial_id)
        if trial is None:
            raise _refused(f'no audited trial is called {trial_id}; see `enpire audit list`')
        if not trial.verdicts:
            raise _refused(f'trial {trial_id} was never judged: there is nothing to label')
        number = attempt or max(trial.verdicts)
        if number not in trial.verdicts:
            known = ', '.join(map(str, trial.verdicts))
            raise _refused(f'attempt {number} of {trial_id} was not judged; judged: {known}')
        if label is VerdictOutcome.UNSET:
            raise _refused('a label is FAILURE, SUCCESS or UNCERTAIN')
        entry = {
            'trial_id': trial_id,
            'attempt': number,
            'label': label.name,
            'labeller': _named(labeller),
            'seconds': _spent(seconds),
        }
        self._write(book.LABEL, entry)
        return number

    def clear(self, *, who: str, seconds: float = 0.0, reason: str = '') -> str:
        """Clear the alarm; the next one is raised by trials that end from now on.

        :param who: the person who has looked.
        :param seconds: that it took.
        :return: the alarm that was cleared.
        :raises StationError: RUNNER_BAD_REQUEST, there is none.
        """
        self.refresh()
        alarm = self.audits.alarm
        if not alarm:
            raise _refused('there is no alarm to clear')
        entry = {'who': _named(who), 'seconds': _spent(seconds), 'reason': reason}
        entry['unheard'] = self._unheard()
        self._write(book.CLEAR, entry)
        return alarm

    def _unheard(self) -> list[str]:
        """Return the trials that are over and not in the book, since no auditor was there."""
        if not self._run.ledger.is_file():
            return []
        with LedgerReader(self._run.path) as ledger:
            ended = [trial.trial_id for trial in ledger.trials() if trial.closed]
        return [trial_id for trial_id in ended if trial_id not in self.audits.trials]

    def _write(self, kind: str, entry: dict) -> None:
        self._book.append(kind, entry)
        self.refresh()

    def _watch(self) -> None:
        audits = self.audits
        if self._rule is None or audits.alarm:
            return
        words = self._rule.doubt(audits.fresh.tallies)
        if not words:
            return
        message = doubted(words, audits.fresh.suspects[-_NAMED:])
        # somebody may clear another alarm just now, by what is known here
        self._book.append(book.ALARM, {'message': message, 'seen': self._book.sequence})
        audits.take(self._book.news())


def doubted(why: str, trials: list[str]) -> str:
    """Return the message of an alarm.

    :param why: in words.
    :param trials: that a person should look at.
    """
    look = f'look at {", ".join(trials)} with `enpire audit show`' if trials else 'look'
    return (
        f'the judge is doubted: {why}; {look}, at the cameras and at the lights, and then trust '
        'it again with `enpire audit clear`'
    )


def _named(who: str) -> str:
    if not who.strip():
        raise _refused('say who says so: a label without a name is worth nothing')
    return who.strip()


def _spent(seconds: float) -> float:
    if not (math.isfinite(seconds) and 0.0 <= seconds <= _MOST_SECONDS):
        raise _refused(f'{seconds} s is no time that somebody spends on a label')
    return float(seconds)


def _refused(why: str) -> StationError:
    return StationError(ErrorCode.RUNNER_BAD_REQUEST, why)
