"""How often a judge, or one of its sources, was right: counts, rates and 95 % bounds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
import math
from typing import Any

from enpire_nodes.common.bounds import lower_bound, upper_bound
from enpire_nodes.environment.acceptance.judged import Judged
from enpire_nodes.tasks.api import Outcome, Vote

#: Names of what no single source says: all views together, and the verdict itself.
VIEWS, FUSED = 'all views', 'verdict'


@dataclass(frozen=True, slots=True)
class Rates:
    """Counts of what was said of true successes and of true failures.

    :param of_successes: how many successes were called SUCCESS, FAILURE and UNCERTAIN.
    :param of_failures: the same of failures.
    """

    of_successes: tuple[int, int, int]
    of_failures: tuple[int, int, int]

    @property
    def successes(self) -> int:
        """Episodes that are successes."""
        return sum(self.of_successes)

    @property
    def failures(self) -> int:
        """Episodes that are failures."""
        return sum(self.of_failures)

    @property
    def recall(self) -> float:
        """Share of the successes that are called so; NaN without any."""
        return _share(self.of_successes[0], self.successes)

    @property
    def recall_bound(self) -> float:
        """One-sided 95 % lower bound of the recall."""
        return lower_bound(self.of_successes[0], self.successes)

    @property
    def false_positive_rate(self) -> float:
        """Share of the failures that are called a success; NaN without any."""
        return _share(self.of_failures[0], self.failures)

    @property
    def false_positive_bound(self) -> float:
        """One-sided 95 % upper bound of the false-positive rate."""
        return upper_bound(self.of_failures[0], self.failures)

    @property
    def precision(self) -> float:
        """Share of true ones among those called a success, at this mix; NaN without any."""
        called = self.of_successes[0] + self.of_failures[0]
        return _share(self.of_successes[0], called)

    @property
    def uncertain(self) -> int:
        """How many were called UNCERTAIN."""
        return self.of_successes[2] + self.of_failures[2]

    @property
    def uncertain_rate(self) -> float:
        """Share of all that were called UNCERTAIN; NaN without any."""
        return _share(self.uncertain, self.successes + self.failures)

    @property
    def uncertain_bound(self) -> float:
        """One-sided 95 % upper bound of that share."""
        return upper_bound(self.uncertain, self.successes + self.failures)

    def to_json(self) -> dict[str, Any]:
        """Return counts, rates and bounds."""
        names = ('SUCCESS', 'FAILURE', 'UNCERTAIN')
        return {
            'of_successes': dict(zip(names, self.of_successes, strict=True)),
            'of_failures': dict(zip(names, self.of_failures, strict=True)),
            **{
                name: _finite(getattr(self, name))
                for name in (
                    'recall',
                    'recall_bound',
                    'false_positive_rate',
                    'false_positive_bound',
                    'precision',
                    'uncertain_rate',
                    'uncertain_bound',
                )
            },
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Rates:
        """Read the counts of :meth:`to_json`; the rest follows from them."""
        return cls(tuple(data['of_successes'].values()), tuple(data['of_failures'].values()))


def rates(
    episodes: Iterable[Judged], said: Callable[[Judged], Outcome] = lambda one: one.outcome
) -> Rates:
    """Count what was said of episodes.

    :param said: by whom; the verdict unless told.
    """
    order = (Outcome.SUCCESS, Outcome.FAILURE, Outcome.UNCERTAIN)
    counts = {True: [0, 0, 0], False: [0, 0, 0]}
    for episode in episodes:
        counts[episode.label][order.index(said(episode))] += 1
    return Rates(tuple(counts[True]), tuple(counts[False]))


def sources(episodes: Sequence[Judged]) -> dict[str, Callable[[Judged], Outcome]]:
    """Return who said something of these episodes: each source, all views, and the verdict."""
    names = dict.fromkeys(vote.source for one in episodes for vote in one.votes)
    said = {name: _said_by(name) for name in names}
    if sum(map(_is_view, names)) > 1:
        said[VIEWS] = _all_views
    return said | {FUSED: lambda one: one.outcome}


def _is_view(source: str) -> bool:
    return source.startswith('camera/')


def _said_by(name: str) -> Callable[[Judged], Outcome]:
    def said(episode: Judged) -> Outcome:
        return next(
            (vote.verdict for vote in episode.votes if vote.source == name), Outcome.UNCERTAIN
        )

    return said


def _all_views(episode: Judged) -> Outcome:
    views: list[Vote] = [vote for vote in episode.votes if _is_view(vote.source)]
    if all(vote.verdict is Outcome.SUCCESS for vote in views):
        return Outcome.SUCCESS
    if any(vote.verdict is Outcome.FAILURE for vote in views):
        return Outcome.FAILURE
    return Outcome.UNCERTAIN


def _share(part: int, whole: int) -> float:
    return part / whole if whole else math.nan


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
