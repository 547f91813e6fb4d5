"""What judged successes say of true ones, given how often the judge is wrong.

The estimate is Rogan and Gladen's (1978, Am. J. Epidemiol. 107); the bounds are conservative: each
takes the end of the judge's error rates that is worse for it, and both share the allowed error.
"""

from __future__ import annotations

from dataclasses import dataclass
import math

from enpire_nodes.rollout.statistics import lower_bound, upper_bound


@dataclass(frozen=True, slots=True)
class JudgeErrors:
    """How the judge did on attempts whose truth is known.

    :param false_successes: of ``failures`` true failures, how many it called successes.
    :param missed: of ``successes`` true successes, how many it did not call so.
    """

    false_successes: int
    failures: int
    missed: int
    successes: int


@dataclass(frozen=True, slots=True)
class CorrectedRate:
    """A success rate as judged, and corrected; 0 to 1, NaN when it cannot be told."""

    judged: float
    corrected: float
    lower: float
    upper: float


def corrected_rate(
    judged_successes: int, trials: int, errors: JudgeErrors, *, confidence: float = 0.95
) -> CorrectedRate:
    """Correct a success rate for the judge's measured errors.

    :param judged_successes: of ``trials``.
    :param confidence: of each one-sided bound, shared by the two binomials that it rests on.
    :raises ValueError: impossible counts.
    """
    each = 1.0 - (1.0 - confidence) / 2.0
    false_upper = upper_bound(errors.false_successes, errors.failures, confidence=each)
    missed_upper = upper_bound(errors.missed, errors.successes, confidence=each)
    low = lower_bound(judged_successes, trials, confidence=each)
    high = upper_bound(judged_successes, trials, confidence=each)
    lower = max(0.0, (low - false_upper) / (1.0 - false_upper)) if false_upper < 1.0 else 0.0
    upper = min(1.0, high / (1.0 - missed_upper)) if missed_upper < 1.0 else 1.0
    judged = judged_successes / trials if trials else math.nan
    if not (trials and errors.failures and errors.successes):
        return CorrectedRate(judged, math.nan, lower, upper)
    false = errors.false_successes / errors.failures
    missed = errors.missed / errors.successes
    informative = 1.0 - false - missed
    if informative <= 0.0:  # a judge no better than a coin tells nothing
        return CorrectedRate(judged, math.nan, 0.0, 1.0)
    estimate = min(1.0, max(0.0, (judged - false) / informative))
    return CorrectedRate(judged, estimate, lower, upper)
