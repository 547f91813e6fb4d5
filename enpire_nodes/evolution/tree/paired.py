"""The difference of two success rates on the same seeds, with an interval.

The interval is Tango's score interval (1998, Statistics in Medicine 17, 891-908): the differences
that a score test, which takes the pairing into account, does not reject. It excludes 0 exactly
when McNemar's test (without a correction for continuity) rejects equality.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
import math

from scipy.optimize import brentq
from scipy.stats import norm


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference of rates, -1 to 1, and its two-sided interval."""

    estimate: float
    lower: float
    upper: float


def statistic(wins: int, losses: int, pairs: int, difference: float) -> float:
    """Return Tango's score statistic, about standard normal when ``difference`` is true.

    :param wins: pairs that the first alone won; ``losses`` that the second alone won.
    :param pairs: of trials, all of them.
    """
    excess = wins - losses - pairs * difference
    variance = pairs * (
        2.0 * constrained_loss_rate(wins, losses, pairs, difference)
        + difference * (1.0 - difference)
    )
    if variance <= 0.0:
        return math.copysign(math.inf, excess) if excess else 0.0
    return excess / math.sqrt(variance)


def constrained_loss_rate(wins: int, losses: int, pairs: int, difference: float) -> float:
    """Return the most likely rate of losses among those at which the difference is as given."""
    a = 2.0 * pairs
    b = -wins - losses + (2.0 * pairs - wins + losses) * difference
    c = -losses * difference * (1.0 - difference)
    return (math.sqrt(max(0.0, b * b - 4.0 * a * c)) - b) / (2.0 * a)


@lru_cache(maxsize=4096)
def paired_difference(
    wins: int, losses: int, pairs: int, *, confidence: float = 0.95
) -> Difference:
    """Return the rate of the first less that of the second.

    :raises ValueError: more pairs differ than there are.
    """
    if min(wins, losses) < 0 or wins + losses > pairs:
        raise ValueError(f'{wins} wins and {losses} losses in {pairs} pairs are impossible')
    if not pairs:
        return Difference(math.nan, -1.0, 1.0)
    limit = float(norm.ppf(0.5 + confidence / 2.0))
    estimate = (wins - losses) / pairs

    def excess(sign: float) -> Callable[[float], float]:
        return lambda value: sign * statistic(wins, losses, pairs, value) - limit

    lower = _root(excess(1.0), -1.0, estimate)
    upper = _root(excess(-1.0), 1.0, estimate)
    return Difference(estimate, lower, upper)


def _root(excess: Callable[[float], float], outer: float, inner: float) -> float:
    """Return where a function changes its sign; the outer end when it never does."""
    edge = outer + math.copysign(1e-12, -outer)
    if outer == inner or excess(edge) <= 0.0:
        return outer
    return float(brentq(excess, *sorted((edge, inner)), xtol=1e-10))
