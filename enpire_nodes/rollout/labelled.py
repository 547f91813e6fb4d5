"""Labelled evidence out of a run: what people said of its attempts, or a simulator's truth.

A person's word is above the simulator's, and of several words of one person the newest counts.
Where two people say the opposite, nothing is known until one of them says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.environment.evidence import Evidence
from enpire_nodes.rollout.auditing import book
from enpire_nodes.rollout.auditing.alarm import TRUTH
from enpire_nodes.rollout.auditing.audits import Audits, opposite
from enpire_nodes.rollout.ledger import LedgerReader
from enpire_nodes.rollout.recording.evidence import evidence_of
from enpire_nodes.rollout.records import AttemptRecord, VerdictOutcome
from enpire_nodes.tasks.api import Task

_LABELS = {VerdictOutcome.SUCCESS: True, VerdictOutcome.FAILURE: False}


@dataclass(frozen=True, slots=True)
class Labels:
    """What is known of a run's attempts.

    :param known: whether each was a success, by trial and number; None where people have looked
        and cannot tell, or say the opposite of each other.
    :param disputed: the attempts of which two people say the opposite, in words.
    :param corrected: the attempts of which a person says the opposite of the truth that the
        simulator told, in words.
    """

    known: dict[tuple[str, int], bool | None]
    disputed: tuple[str, ...]
    corrected: tuple[str, ...]


def labels_of(run: Path) -> Labels:
    """Return what is known of a run's attempts.

    :raises StationError: the audit book was changed.
    """
    entries = list(book.AuditBook(run).news())
    audits = Audits()
    audits.take(entries)
    truth = audits.whole.said_by(TRUTH)
    said: dict[tuple[str, int], dict[str, VerdictOutcome]] = {}
    for entry in entries:
        if entry.kind == book.LABEL:
            words = said.setdefault((entry.data['trial_id'], entry.data['attempt']), {})
            words.pop(entry.data['labeller'], None)  # the newest comes last
            words[entry.data['labeller']] = VerdictOutcome[entry.data['label']]
    known = {key: _LABELS.get(says) for key, says in truth.items()}
    disputed, corrected = [], []
    for (trial, number), words in said.items():
        newest = list(words.values())[-1]
        known[trial, number] = _LABELS.get(newest)
        name = f'{trial} attempt {number}'
        people = ', '.join(f'{who} says {says.name}' for who, says in words.items())
        if set(_LABELS) <= set(words.values()):
            known[trial, number] = None
            disputed.append(f'{name}: {people}')
        elif (trial, number) in truth and opposite(truth[trial, number], newest):
            corrected.append(f'{name}: {people}, and the simulator {truth[trial, number].name}')
    return Labels(known, tuple(disputed), tuple(corrected))


def labelled_attempts(ledger: LedgerReader) -> list[tuple[str, AttemptRecord, bool]]:
    """Return the attempts of a run whose label is known, in order, each with trial and label.

    :raises StationError: ENVIRONMENT_UNLABELLED, there is none.
    """
    known = labels_of(ledger.run.path).known
    found = [
        (trial.trial_id, attempt, label)
        for trial in ledger.trials()
        for attempt in trial.attempts
        if (label := known.get((trial.trial_id, attempt.index))) is not None
    ]
    if not found:
        raise StationError(
            ErrorCode.ENVIRONMENT_UNLABELLED,
            f'nobody has labelled a trial of {ledger.run.path}: run `enpire audit label`, or '
            'record a simulated station with --truth',
        )
    return found


def labelled_evidence(ledger: LedgerReader, task: Task) -> Iterator[Evidence]:
    """Yield the evidence on every attempt of a run whose label is known, in order.

    :raises StationError: as :func:`labelled_attempts`; or a bag cannot be read.
    """
    for trial_id, attempt, label in labelled_attempts(ledger):
        yield evidence_of(
            ledger.run.bag(trial_id),
            task=task,
            attempt=attempt,
            source=f'{trial_id} attempt {attempt.index}',
            label=label,
        )
