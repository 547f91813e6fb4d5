"""Bounds on a rate from a number of trials that was set before the first of them."""

from __future__ import annotations

from scipy.stats import beta


def lower_bound(successes: int, trials: int, *, confidence: float = 0.95) -> float:
    """Return the one-sided Clopper-Pearson lower bound of a rate; 0 before the first trial."""
    check_counts(successes, trials, confidence)
    if successes == 0:
        return 0.0
    return float(beta.ppf(1.0 - confidence, successes, trials - successes + 1))


def upper_bound(successes: int, trials: int, *, confidence: float = 0.95) -> float:
    """Return the one-sided Clopper-Pearson upper bound of a rate; 1 before the first trial."""
    check_counts(successes, trials, confidence)
    if successes == trials:
        return 1.0
    return float(beta.ppf(confidence, successes + 1, trials - successes))


def check_counts(successes: int, trials: int, confidence: float) -> None:
    """Refuse what no number of trials can have given.

    :raises ValueError: says what is impossible.
    """
    if not 0 <= successes <= trials:
        raise ValueError(f'{successes} successes of {trials} trials are impossible')
    if not 0.0 < confidence < 1.0:
        raise ValueError(f'confidence {confidence} must lie between 0 and 1')
