"""What a number of trials says about the success rate behind them, and how long a station worked.

Two kinds of bounds, never mixed up: *fixed* ones (Clopper-Pearson) hold for a block whose length
was set before its first trial; *anytime* ones (a Beta-mixture e-process) hold at every look while
trials come in, and pay for it: 50 successes of 50 give 94.2 % fixed and 87.1 % anytime.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
import math

from scipy.optimize import brentq
from scipy.special import betaln
from scipy.stats import barnard_exact

from enpire_nodes.common.bounds import check_counts, lower_bound, upper_bound
from enpire_nodes.rollout.records import CANARY, TrialRecord

__all__ = [
    'Summary',
    'anytime_lower_bound',
    'barnard',
    'corrected_bound',
    'lower_bound',
    'streaks',
    'summarize',
    'upper_bound',
]


def anytime_lower_bound(
    successes: int,
    trials: int,
    *,
    confidence: float = 0.95,
    prior: tuple[float, float] = (1.0, 1.0),
) -> float:
    """Return a lower bound that holds at every look, whenever one decides to stop.

    It is the smallest rate that the e-process of a Beta mixture over the alternatives does not
    reject: by Ville's inequality the true rate is rejected at any time with a probability of at
    most ``1 - confidence``.

    :param prior: the mixture's Beta parameters: (1, 1) uniform, (0.5, 0.5) Jeffreys.
    """
    check_counts(successes, trials, confidence)
    if successes == 0:
        return 0.0
    failures = trials - successes
    evidence = betaln(prior[0] + successes, prior[1] + failures) - betaln(*prior)
    needed = -math.log(1.0 - confidence)

    def excess(rate: float) -> float:
        null = successes * math.log(rate) + (failures * math.log1p(-rate) if failures else 0.0)
        return evidence - null - needed

    # At this rate the successes alone refute the null hypothesis.
    smallest = math.exp((evidence - needed) / successes)
    if excess(smallest) <= 0.0:
        return smallest
    return float(brentq(excess, smallest, successes / trials, xtol=1e-12))


def corrected_bound(bound: float, false_positive_rate: float) -> float:
    """Return what a lower bound on judged successes says of true ones, given the judge's errors.

    :param false_positive_rate: (an upper bound on) the share of failures judged successes.
    """
    return max(0.0, (bound - false_positive_rate) / (1.0 - false_positive_rate))


def barnard(
    first: tuple[int, int], second: tuple[int, int], *, alternative: str = 'two-sided'
) -> float:
    """Return the p-value of Barnard's exact test between two controllers.

    :param first: successes and trials of the one, ``second`` of the other.
    :param alternative: ``greater`` asks whether the first is better.
    """
    for successes, trials in (first, second):
        check_counts(successes, trials, 0.5)
    if 0 in (first[1], second[1]):
        return 1.0
    return _barnard(first, second, alternative)


@lru_cache(maxsize=4096)  # tens of ms for a few dozen trials, and asked again and again
def _barnard(first: tuple[int, int], second: tuple[int, int], alternative: str) -> float:
    table = [[first[0], second[0]], [first[1] - first[0], second[1] - second[0]]]
    return float(barnard_exact(table, alternative=alternative).pvalue)


def streaks(outcomes: Iterable[bool]) -> tuple[int, int]:
    """Return how many successes in a row there are at the end, and at most."""
    current = longest = 0
    for success in outcomes:
        current = current + 1 if success else 0
        longest = max(longest, current)
    return current, longest


@dataclass(frozen=True, slots=True)
class Summary:
    """How a number of trials went.

    :param trials: closed ones.
    :param excluded: of these, how many a proven infrastructure cause keeps out of the rates.
    :param counted: the denominator of every rate: ``trials - excluded``.
    :param successes: at any attempt (pass@k).
    :param first_attempt_successes: at the first attempt (pass@1).
    :param lower: one-sided 95 % Clopper-Pearson of pass@k; ``first_attempt_lower`` of pass@1.
    :param anytime: 95 % lower bound of pass@k that holds while one watches.
    :param streak: successes in a row up to the last trial; ``longest_streak`` ever.
    """

    trials: int
    excluded: int
    counted: int
    successes: int
    first_attempt_successes: int
    lower: float
    first_attempt_lower: float
    anytime: float
    streak: int
    longest_streak: int

    @property
    def rate(self) -> float:
        """Share of successes at any attempt (pass@k); NaN before the first trial."""
        return self.successes / self.counted if self.counted else math.nan

    @property
    def first_attempt_rate(self) -> float:
        """Share of successes at the first attempt (pass@1); NaN before the first trial."""
        return self.first_attempt_successes / self.counted if self.counted else math.nan


def graded(trials: Iterable[TrialRecord]) -> list[TrialRecord]:
    """Return the trials that say something of a policy: closed ones, and no canaries."""
    return [trial for trial in trials if trial.closed and trial.requester != CANARY]


def summarize(trials: Sequence[TrialRecord]) -> Summary:
    """Count those of the trials that are graded, in the order of their starts."""
    closed = graded(trials)
    counted = [trial for trial in closed if trial.counted]
    successes = sum(trial.success for trial in counted)
    first = sum(trial.first_attempt_success for trial in counted)
    streak, longest = streaks(trial.success for trial in counted)
    return Summary(
        trials=len(closed),
        excluded=len(closed) - len(counted),
        counted=len(counted),
        successes=successes,
        first_attempt_successes=first,
        lower=lower_bound(successes, len(counted)),
        first_attempt_lower=lower_bound(first, len(counted)),
        anytime=anytime_lower_bound(successes, len(counted)),
        streak=streak,
        longest_streak=longest,
    )
