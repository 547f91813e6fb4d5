"""Canaries: attempts whose outcome is known, by which a judge that has gone wrong is found out.

================  =======================================================  ======================
kind              what is judged                                           it must be
================  =======================================================  ======================
known_failure     a whole trial of the controller ``hold``                 no SUCCESS
onset             the pin in the hand over the hole, just after a reset    FAILURE or UNCERTAIN
replayed_success  stored evidence of a success                             SUCCESS
replayed_failure  stored evidence of a failure                             no SUCCESS
================  =======================================================  ======================

A catalogue (JSON, beside the classifier's weights or wherever ``canary_file`` says) lists stored
evidence: ``{"canaries": [{"file": "a.npz", "sha256": "...", "label": true}]}``; files are relative
to it. List only what the accepted judge judges rightly: the same code, settings and weights then
give the same verdict again, and any other means that one of them is not what was accepted.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import Enum
import json
from pathlib import Path
import re

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.records import CANARY, TrialRecord, VerdictOutcome

__all__ = [
    'CANARY',
    'CanaryKind',
    'StoredEvidence',
    'Turns',
    'failed',
    'kind_of',
    'read_catalogue',
]

_SHA256 = re.compile(r'[0-9a-f]{64}')


class CanaryKind(Enum):
    """What a canary is; its value stands in ``idea`` of its trial."""

    KNOWN_FAILURE = 'known_failure'
    ONSET = 'onset'
    REPLAYED_SUCCESS = 'replayed_success'
    REPLAYED_FAILURE = 'replayed_failure'

    @property
    def words(self) -> str:
        """Its name for people."""
        return self.value.replace('_', ' ')

    @property
    def truth(self) -> VerdictOutcome:
        """What it really is."""
        success = self is CanaryKind.REPLAYED_SUCCESS
        return VerdictOutcome.SUCCESS if success else VerdictOutcome.FAILURE


@dataclass(frozen=True, slots=True)
class StoredEvidence:
    """One line of the catalogue: an absolute path, its sha256, and what it shows."""

    path: Path
    digest: str
    success: bool

    @property
    def kind(self) -> CanaryKind:
        """The canary that it makes."""
        return CanaryKind.REPLAYED_SUCCESS if self.success else CanaryKind.REPLAYED_FAILURE


def kind_of(trial: TrialRecord) -> CanaryKind | None:
    """Return which canary a trial is; None for every other trial."""
    if trial.requester != CANARY:
        return None
    try:
        return CanaryKind(trial.idea)
    except ValueError:
        return None


def failed(kind: CanaryKind, verdict: VerdictOutcome) -> str:
    """Return in words how the judge got a canary wrong; empty when it did not."""
    if kind.truth is VerdictOutcome.SUCCESS:
        wrong = verdict is not VerdictOutcome.SUCCESS
    else:
        wrong = verdict is VerdictOutcome.SUCCESS
    return f'the canary "{kind.words}" was judged {verdict.name}' if wrong else ''


class Turns:
    """Which canaries a run has had, and when the next turn is due; told of every closed trial.

    A turn ends with a canary that needs the robot, and only when the judge has said something of
    it: one whose reset failed has tested nobody.
    """

    def __init__(self) -> None:
        #: Trials of others since the last turn.
        self.since = 0
        #: Canaries of each kind, with a verdict or without.
        self.counts: Counter[CanaryKind] = Counter()
        self._last: CanaryKind | None = None

    def add(self, trial: TrialRecord) -> None:
        """Count a closed trial."""
        kind = kind_of(trial)
        if kind is None:
            self.since += trial.requester != CANARY
            return
        self.counts[kind] += 1
        if kind in _SCENE and trial.judged:
            self._last, self.since = kind, 0

    @property
    def scene(self) -> CanaryKind:
        """Which of the two that need the robot comes next: they take turns."""
        return _SCENE[1] if self._last is _SCENE[0] else _SCENE[0]


def read_catalogue(path: Path) -> tuple[StoredEvidence, ...]:
    """Read a catalogue.

    :raises StationError: ENVIRONMENT_EVIDENCE_UNREADABLE, saying what is wrong with it.
    """
    try:
        lines = json.loads(path.read_text(encoding='utf-8'))['canaries']
        found = tuple(_stored(path.parent, line) for line in lines)
    except OSError as error:
        raise _bad(path, error.strerror or str(error)) from error
    except (ValueError, KeyError, TypeError) as error:
        raise _bad(path, f'{type(error).__name__}: {error}') from error
    return found


def _stored(folder: Path, line: dict) -> StoredEvidence:
    digest, label = line['sha256'], line['label']
    if not (isinstance(digest, str) and _SHA256.fullmatch(digest)):
        raise ValueError(f'sha256 {digest!r} is no sha256 in hex')
    if not isinstance(label, bool):
        raise TypeError(f'label {label!r} is neither true nor false')
    return StoredEvidence((folder / line['file']).absolute(), digest, label)


def _bad(path: Path, reason: str) -> StationError:
    return StationError(
        ErrorCode.ENVIRONMENT_EVIDENCE_UNREADABLE,
        f'{path} is no catalogue of canaries ({reason}); write it anew, or set canary_file to ""',
    )


_SCENE = (CanaryKind.KNOWN_FAILURE, CanaryKind.ONSET)
