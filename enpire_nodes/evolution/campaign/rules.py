"""When a recipe is called better, when a block is worth its trials, and when ``main`` moves.

A screening result is never an effect: of many ideas that are tried, some look good by luck alone.
What an agent proposes is repeated on fresh seeds, interleaved with what it shall replace, and only
that repetition counts here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from enpire_nodes.common.bounds import lower_bound, upper_bound
from enpire_nodes.rollout.records import TrialRecord
from enpire_nodes.rollout.statistics import barnard, Summary

#: Largest p-value, one-sided, at which a re-test calls a recipe better.
SIGNIFICANT = 0.05


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two recipes on the same seeds, by their first attempts.

    :param better: trials that the candidate alone won; ``worse`` the other way round.
    :param p_value: one-sided, Barnard's exact test.
    """

    pairs: int
    candidate: int
    incumbent: int
    better: int
    worse: int
    p_value: float

    @property
    def holds(self) -> bool:
        """Whether the candidate is better."""
        return self.p_value < SIGNIFICANT

    @property
    def apart(self) -> bool:
        """Whether the two-sided 95 % Clopper-Pearson intervals do not touch."""
        low = lower_bound(self.candidate, self.pairs, confidence=0.975)
        return self.pairs > 0 and low > upper_bound(self.incumbent, self.pairs, confidence=0.975)

    def words(self) -> str:
        """Say how it went."""
        return (
            f'{self.candidate} of {self.pairs} against {self.incumbent} of {self.pairs} at the '
            f"first attempt, same seeds, Barnard's p = {self.p_value:.2g}"
        )


def compare(pairs: Sequence[tuple[TrialRecord, TrialRecord]]) -> Comparison:
    """Compare a candidate with an incumbent.

    :param pairs: trials of the two on the same seed.
    """
    won = [(a.first_attempt_success, b.first_attempt_success) for a, b in pairs]
    candidate, incumbent = sum(a for a, _ in won), sum(b for _, b in won)
    count = len(won)
    return Comparison(
        pairs=count,
        candidate=candidate,
        incumbent=incumbent,
        better=sum(a and not b for a, b in won),
        worse=sum(b and not a for a, b in won),
        p_value=barnard((candidate, count), (incumbent, count), alternative='greater'),
    )


def hopeless(summary: Summary, trials: int, *, needed: float) -> bool:
    """Whether a block cannot reach a lower bound any more, whatever its last trials bring.

    :param trials: length of the block.
    :param needed: the lower bound that would be worth something.
    """
    best = summary.successes + max(0, trials - summary.counted)
    return lower_bound(best, trials) <= needed


def futile(comparison: Comparison, trials: int) -> bool:
    """Whether a re-test cannot end well any more: if the candidate won all that are left."""
    left = trials - comparison.pairs
    if left <= 0:
        return not comparison.holds
    best = (comparison.candidate + left, trials)
    return barnard(best, (comparison.incumbent, trials), alternative='greater') >= SIGNIFICANT
