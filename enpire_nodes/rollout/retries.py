"""Whether a policy that tries again does better than one that merely gets more tries.

``pass@k`` grows with k even for a policy that learns nothing from its own failures. The control is
what independent tries would give, ``1 - (1 - p)^k`` with ``p`` the rate of first attempts; only
what lies beyond it is recovery in context.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
import math

from enpire_nodes.rollout.records import TrialRecord, VerdictOutcome
from enpire_nodes.rollout.statistics import barnard, graded, lower_bound, upper_bound


@dataclass(frozen=True, slots=True)
class RetryReport:
    """Retries against the control of independent ones; rates are 0 to 1, NaN without a trial.

    :param attempts: at each attempt, how many succeeded and how many were made.
    :param pass_k: share of trials that succeeded at any attempt.
    :param control: what independent tries would have given, with the first attempts' rate.
    :param control_lower: the same with that rate's lower 95 % bound; ``control_upper`` likewise.
    :param p_value: Barnard's exact test that later attempts succeed more often than first ones;
        1 without later attempts.
    """

    k: int
    attempts: tuple[tuple[int, int], ...]
    pass_k: float
    control: float
    control_lower: float
    control_upper: float
    p_value: float

    @property
    def recovers(self) -> bool:
        """Whether later attempts are better than first ones beyond chance (5 %)."""
        return self.p_value < 0.05


def retry_report(trials: Sequence[TrialRecord]) -> RetryReport:
    """Compare the attempts of those trials that are graded and count.

    :param trials: of one recipe, with the same ``max_attempts``.
    :raises ValueError: they allow different numbers of attempts.
    """
    counted = [trial for trial in graded(trials) if trial.counted]
    allowed = {trial.max_attempts for trial in counted}
    if len(allowed) > 1:
        raise ValueError(f'trials with {sorted(allowed)} attempts cannot be compared')
    k = allowed.pop() if allowed else 1
    made, good = [0] * k, [0] * k
    for trial in counted:
        for index, attempt in enumerate(trial.attempts[:k]):
            made[index] += 1
            good[index] += attempt.verdict.outcome is VerdictOutcome.SUCCESS
    first = sum(trial.first_attempt_success for trial in counted)
    passed = sum(trial.success for trial in counted)
    number = len(counted)
    later = sum(good[1:]), sum(made[1:])
    return RetryReport(
        k,
        tuple(zip(good, made, strict=True)),
        passed / number if number else math.nan,
        independent(first / number, k) if number else math.nan,
        independent(lower_bound(first, number), k),
        independent(upper_bound(first, number), k),
        barnard(later, (first, number), alternative='greater') if later[1] else 1.0,
    )


def independent(rate: float, k: int) -> float:
    """Return the chance that at least one of ``k`` independent tries succeeds."""
    if k < 1:
        raise ValueError(f'{k} tries are none')
    return 1.0 - (1.0 - rate) ** k
