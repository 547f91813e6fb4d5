"""Labelled evidence out of a run: what people said of its attempts, or a simulator's truth."""

from __future__ import annotations

from collections.abc import Iterator

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.environment.evidence import Evidence
from enpire_nodes.rollout.auditing.alarm import TRUTH
from enpire_nodes.rollout.auditing.audits import Audits
from enpire_nodes.rollout.auditing.book import AuditBook
from enpire_nodes.rollout.ledger import LedgerReader
from enpire_nodes.rollout.recording.evidence import evidence_of
from enpire_nodes.rollout.records import VerdictOutcome
from enpire_nodes.tasks.api import Task

_LABELS = {VerdictOutcome.SUCCESS: True, VerdictOutcome.FAILURE: False}


def labels_of(ledger: LedgerReader) -> dict[tuple[str, int], bool]:
    """Return what is known of a run's attempts, by trial and number; a person's word is above all.

    :raises StationError: the audit book was changed.
    """
    audits = Audits()
    audits.take(AuditBook(ledger.run.path).news())
    known = {
        key: _LABELS[says] for key, says in audits.whole.said_by(TRUTH).items() if says in _LABELS
    }
    for trial in audits.trials.values():
        for attempt, says in trial.labels.items():
            known.pop((trial.trial_id, attempt), None)  # a person who cannot tell is heard, too
            if says in _LABELS:
                known[trial.trial_id, attempt] = _LABELS[says]
    return known


def labelled_evidence(ledger: LedgerReader, task: Task) -> Iterator[Evidence]:
    """Yield the evidence on every attempt of a run whose label is known, in order.

    :raises StationError: ENVIRONMENT_UNLABELLED, there is none; or a bag cannot be read.
    """
    known = labels_of(ledger)
    if not known:
        raise StationError(
            ErrorCode.ENVIRONMENT_UNLABELLED,
            f'nobody has labelled a trial of {ledger.run.path}: run `enpire audit label`, or '
            'record a simulated station with --truth',
        )
    for trial in ledger.trials():
        for attempt in trial.attempts:
            label = known.get((trial.trial_id, attempt.index))
            if label is not None:
                yield evidence_of(
                    ledger.run.bag(trial.trial_id),
                    task=task,
                    attempt=attempt,
                    source=f'{trial.trial_id} attempt {attempt.index}',
                    label=label,
                )
