"""What a judge said of episodes whose truth is known, and what resets came to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.environment.evidence import Evidence
from enpire_nodes.tasks.api import Judgement, Outcome, Vote


@dataclass(frozen=True, slots=True)
class Case:
    """An episode that is to be judged: made from ``kind`` and ``seed``, or read from ``path``."""

    kind: str = ''
    seed: int = 0
    path: Path | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """One episode and what the judge said of it.

    :param case: by which it can be made or read again.
    :param source: where it is from, in words.
    :param label: the truth.
    :param redraws: scenes that were dropped before it, as they contradicted their kind.
    :param seconds: of wall-clock from the arrival of the last picture to the decision.
    """

    case: Case
    source: str
    kind: str
    label: bool
    outcome: Outcome
    votes: tuple[Vote, ...]
    redraws: int
    seconds: float

    @property
    def wrong(self) -> bool:
        """Whether the verdict is anything but the truth."""
        return self.outcome is not (Outcome.SUCCESS if self.label else Outcome.FAILURE)

    @property
    def false_positive(self) -> bool:
        """Whether a failure was called a success."""
        return not self.label and self.outcome is Outcome.SUCCESS

    def to_json(self) -> dict[str, Any]:
        """Return what a person needs to look it up."""
        return {
            'source': self.source,
            'kind': self.kind,
            'label': self.label,
            'outcome': self.outcome.name,
            'votes': {
                vote.source: f'{vote.verdict.name} {vote.score:.2f}: {vote.reason}'
                for vote in self.votes
            },
        }


@dataclass(frozen=True, slots=True)
class ResetTried:
    """One reset.

    :param placement: how the object lay before it.
    :param seconds: of the station's clock.
    :param message: why it failed.
    """

    placement: str
    seed: int
    success: bool
    seconds: float
    recoveries: tuple[str, ...] = ()
    message: str = ''


def judged(
    case: Case, evidence: Evidence, judgement: Judgement, *, redraws: int, seconds: float
) -> Judged:
    """Put a judgement and the truth side by side.

    :raises StationError: ENVIRONMENT_UNLABELLED, nobody said what the truth is.
    """
    if evidence.label is None:
        raise StationError(
            ErrorCode.ENVIRONMENT_UNLABELLED,
            f'{case.path or evidence.source} has no label; say whether it is a success or a '
            'failure, or leave it out',
        )
    kind = evidence.kind or ('recorded success' if evidence.label else 'recorded failure')
    return Judged(
        case,
        evidence.source,
        kind,
        evidence.label,
        judgement.outcome,
        judgement.votes,
        redraws,
        seconds,
    )


def require_both_classes(labels: Sequence[bool]) -> None:
    """Refuse episodes that are all successes or all failures: no rate could be told.

    :param labels: of the episodes.
    :raises StationError: ENVIRONMENT_ONE_CLASS, or ENVIRONMENT_TOO_FEW_EPISODES for none.
    """
    if not labels:
        raise StationError(
            ErrorCode.ENVIRONMENT_TOO_FEW_EPISODES,
            'there is not one episode to judge; ask for some by --episodes or --evidence',
        )
    if len(set(labels)) == 1:
        have, lack = ('successes', 'failures') if labels[0] else ('failures', 'successes')
        raise StationError(
            ErrorCode.ENVIRONMENT_ONE_CLASS,
            f'all {len(labels)} episodes are {have}; add {lack} by --evidence or --kinds (none '
            'named takes every kind), or nothing can be measured',
        )
