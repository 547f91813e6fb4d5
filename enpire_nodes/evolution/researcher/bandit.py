"""What to try next, and what to believe of it: Beta posteriors of success rates.

Ideas are chosen by Thompson sampling (Thompson, 1933; Chapelle and Li, 2011): draw from each
posterior, take the largest. The probability that one rate exceeds another is exact for whole
parameters (Cook, 2003).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, lgamma, log
import random
from typing import TypeVar

Key = TypeVar('Key')


@dataclass(frozen=True, slots=True)
class Count:
    """Successes of trials."""

    successes: int = 0
    trials: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(self.successes + other.successes, self.trials + other.trials)

    @property
    def failures(self) -> int:
        """Trials that failed."""
        return self.trials - self.successes

    @property
    def mean(self) -> float:
        """Mean of the posterior under a uniform prior."""
        return (self.successes + 1) / (self.trials + 2)

    def __str__(self) -> str:
        return f'{self.successes} of {self.trials}'


def _log_beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)


def probability_better(first: Count, second: Count) -> float:
    """Return the posterior probability that the first rate is higher, uniform priors."""
    a, b = first.successes + 1, first.failures + 1
    c, d = second.successes + 1, second.failures + 1
    total = 0.0
    for i in range(a):
        total += exp(_log_beta(c + i, b + d) - log(b + i) - _log_beta(1 + i, b) - _log_beta(c, d))
    return min(1.0, max(0.0, total))


def draw(chances: Mapping[Key, Count], rng: random.Random) -> Key:
    """Return the key whose draw from its posterior is the largest.

    :param chances: how often each choice was worth it; not empty.
    """
    return max(
        chances,
        key=lambda key: rng.betavariate(chances[key].successes + 1, chances[key].failures + 1),
    )
