"""Labelled evidence out of a run: what people said of its attempts, or a simulator's truth."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.environment.evidence import Evidence
from enpire_nodes.rollout.auditing.alarm import TRUTH
from enpire_nodes.rollout.auditing.audits import Audits
from enpire_nodes.rollout.ledger import LedgerReader
from enpire_nodes.rollout.recording.evidence import evidence_of
from enpire_nodes.rollout.records import VerdictOutcome
from enpire_nodes.tasks.api import Task

_LABELS = {VerdictOutcome.SUCCESS: True, VerdictOutcome.FAILURE: False}


def labels_of(run: Path) -> dict[tuple[str, int], bool | None]:
    """Return what is known of a run's attempts, by trial and number; a person's word is above all.

    :return: whether it was a success; None where a person has looked and cannot tell.
    :raises StationError: the audit book was changed.
    """
    audits = Audits.of(run)
    said = audits.whole.said_by(TRUTH)
    for trial in audits.trials.values():
        said.update({(trial.trial_id, number): says for number, says in trial.labels.items()})
    return {key: _LABELS.get(says) for key, says in said.items()}


def labelled_evidence(ledger: LedgerReader, task: Task) -> Iterator[Evidence]:
    """Yield the evidence on every attempt of a run whose label is known, in order.

    :raises StationError: ENVIRONMENT_UNLABELLED, there is none; or a bag cannot be read.
    """
    known = labels_of(ledger.run.path)
    if not any(label is not None for label in known.values()):
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
