"""What judged successes say of true ones, given how often the judge is wrong.

The estimate is Rogan and Gladen's (1978, Am. J. Epidemiol. 107); the bounds are conservative: each
takes the end of the judge's error rates that is worse for it, and both share the allowed error.
"""

from __future__ import annotations

from dataclasses import dataclass
import math

from enpire_nodes.rollout.auditing.tally import Tally
from enpire_nodes.rollout.statistics import corrected_bound, lower_bound, upper_bound


@dataclass(frozen=True, slots=True)
class CorrectedRate:
    """A success rate, corrected; 0 to 1, ``estimate`` NaN when it cannot be told."""

    estimate: float
    lower: float
    upper: float


def corrected_rate(
    successes: int, trials: int, tally: Tally, *, confidence: float = 0.95
) -> CorrectedRate:
    """Correct a rate of judged successes for the measured errors of the judge.

    :param successes: of ``trials``, as judged.
    :param tally: of the judge against an auditor who knows better.
    :param confidence: of each one-sided bound, shared by the two binomials that it rests on.
    :raises ValueError: impossible counts.
    """
    each = 1.0 - (1.0 - confidence) / 2.0
    false = upper_bound(tally.false_successes, tally.failures, confidence=each)
    missed = upper_bound(tally.misses, tally.successes, confidence=each)
    lower = lower_bound(successes, trials, confidence=each)
    upper = upper_bound(successes, trials, confidence=each)
    return CorrectedRate(
        _estimate(successes, trials, tally),
        corrected_bound(lower, false) if false < 1.0 else 0.0,
        min(1.0, upper / (1.0 - missed)) if missed < 1.0 else 1.0,
    )


def _estimate(successes: int, trials: int, tally: Tally) -> float:
    false, missed = tally.false_positive_rate, 1.0 - tally.recall
    informative = 1.0 - false - missed
    if not trials or not informative > 0.0:  # not measured, or no better than a coin
        return math.nan
    return min(1.0, max(0.0, (successes / trials - false) / informative))
