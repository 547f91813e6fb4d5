"""What an environment must reach before it may be frozen. Bounds decide, not point values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
import math
from typing import Any

import numpy as np

from enpire_nodes.common.bounds import lower_bound
from enpire_nodes.environment.acceptance.judged import Judged, ResetTried
from enpire_nodes.environment.acceptance.rates import rates


@dataclass(frozen=True, slots=True)
class Requirements:
    """The limits.

    :param episodes: at least so many are judged.
    :param of_each_kind: at least so many of every kind.
    :param false_positive_rate: the 95 % upper bound must not exceed it.
    :param recall: the 95 % lower bound must reach it.
    :param uncertain: the 95 % upper bound of the share of UNCERTAIN must not exceed it.
    :param latency_p50: s, from the last picture's arrival to the decision; so ``latency_p99``.
    :param reset: the 95 % lower bound of the share of resets that succeed must reach it.
    :param reset_seconds: s of the station's clock, median of the resets that succeed.
    """

    episodes: int = 2000
    of_each_kind: int = 30
    false_positive_rate: float = 0.002
    recall: float = 0.98
    uncertain: float = 0.02
    latency_p50: float = 0.015
    latency_p99: float = 0.050
    reset: float = 0.95
    reset_seconds: float = 20.0


@dataclass(frozen=True, slots=True)
class Criterion:
    """One requirement and whether it is met.

    :param value: what decides: a bound, a count or a percentile.
    :param measured: the point value behind a bound, else ``value``.
    :param at_most: whether ``value`` must not exceed ``limit``; else it must reach it.
    """

    name: str
    value: float
    measured: float
    limit: float
    at_most: bool
    message: str

    @property
    def passed(self) -> bool:
        """Whether it is met."""
        return self.value <= self.limit if self.at_most else self.value >= self.limit

    def to_json(self) -> dict[str, Any]:
        """Return the fields, and whether it is met; what is infinite is null."""
        fields = {
            name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in asdict(self).items()
        }
        return fields | {'passed': self.passed}


def check(
    episodes: Sequence[Judged], resets: Sequence[ResetTried], required: Requirements
) -> list[Criterion]:
    """Hold what was measured against what is required.

    :param resets: an empty sequence fails.
    """
    fused = rates(episodes)
    kinds = Counter(episode.kind for episode in episodes)
    rarest, fewest = min(kinds.items(), key=lambda item: item[1]) if kinds else ('none', 0)
    wrong, missed = fused.of_failures[0], fused.successes - fused.of_successes[0]
    made = [
        _least('episodes', len(episodes), required.episodes, 'episodes were judged'),
        _least(
            'kinds', fewest, required.of_each_kind, f'of the rarest kind ({rarest}) were judged'
        ),
        Criterion(
            'false positives',
            fused.false_positive_bound,
            fused.false_positive_rate,
            required.false_positive_rate,
            True,
            f'{wrong} of {fused.failures} failures were called a success',
        ),
        Criterion(
            'recall',
            fused.recall_bound,
            fused.recall,
            required.recall,
            False,
            f'{missed} of {fused.successes} successes were not called one',
        ),
        Criterion(
            'uncertain',
            fused.uncertain_bound,
            fused.uncertain_rate,
            required.uncertain,
            True,
            f'{fused.uncertain} of {len(episodes)} were left to a person',
        ),
    ]
    seconds = [episode.seconds for episode in episodes]
    for name, percent, limit in (
        ('latency p50', 50, required.latency_p50),
        ('latency p99', 99, required.latency_p99),
    ):
        value = float(np.percentile(seconds, percent)) if seconds else math.inf
        made.append(
            Criterion(name, value, value, limit, True, 's from the last picture to the decision')
        )
    return [*made, *_reset_criteria(resets, required)]


def unchanged(changed: Sequence[str]) -> Criterion:
    """Return the criterion that nothing changed while it was measured.

    :param changed: names of files that did.
    """
    names = ', '.join(changed[:5]) + (' and more' if len(changed) > 5 else '')
    words = (
        f'changed under way: {names}; measure again' if changed else 'no file changed under way'
    )
    return Criterion('unchanged files', len(changed), len(changed), 0, True, words)


def _reset_criteria(resets: Sequence[ResetTried], required: Requirements) -> list[Criterion]:
    done = [reset for reset in resets if reset.success]
    share = len(done) / len(resets) if resets else 0.0
    middle = float(np.median([reset.seconds for reset in done])) if done else math.inf
    return [
        Criterion(
            'reset',
            lower_bound(len(done), len(resets)),
            share,
            required.reset,
            False,
            f'{len(resets) - len(done)} of {len(resets)} resets failed',
        ),
        Criterion(
            'reset time',
            middle,
            middle,
            required.reset_seconds,
            True,
            's of the station clock, the median reset',
        ),
    ]


def _least(name: str, value: int, limit: int, words: str) -> Criterion:
    return Criterion(name, value, value, limit, False, f'{value} {words}')
