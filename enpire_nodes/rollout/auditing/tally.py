"""How often an auditor and the judge said the same of the same attempts."""

from __future__ import annotations

from dataclasses import dataclass
import math

from enpire_nodes.rollout.records import VerdictOutcome
from enpire_nodes.rollout.statistics import lower_bound, upper_bound


@dataclass(slots=True)
class Tally:
    """Attempts by what the judge said (success, failure, nothing) and by what they were.

    :param missed: attempts that the auditor calls a success and the judge left undecided; they
        are among ``uncertain`` too.
    :param uncertain: the judge gave no verdict.
    :param undecided: the auditor could not tell; counted nowhere else.
    """

    true_successes: int = 0
    false_successes: int = 0
    true_failures: int = 0
    false_failures: int = 0
    missed: int = 0
    uncertain: int = 0
    undecided: int = 0

    def add(self, verdict: VerdictOutcome, truth: VerdictOutcome, count: int = 1) -> None:
        """Count an attempt; ``count`` -1 takes one away again.

        :param verdict: the judge's.
        :param truth: the auditor's; neither SUCCESS nor FAILURE counts as undecided.
        """
        success, failure = VerdictOutcome.SUCCESS, VerdictOutcome.FAILURE
        if truth not in (success, failure):
            self.undecided += count
        elif verdict not in (success, failure):
            self.uncertain += count
            self.missed += count * (truth is success)
        elif verdict is success:
            self.true_successes += count * (truth is success)
            self.false_successes += count * (truth is failure)
        else:
            self.true_failures += count * (truth is failure)
            self.false_failures += count * (truth is success)

    @property
    def failures(self) -> int:
        """Attempts that were failures and got a verdict."""
        return self.false_successes + self.true_failures

    @property
    def successes(self) -> int:
        """Attempts that were successes, with a verdict or without."""
        return self.true_successes + self.false_failures + self.missed

    @property
    def misses(self) -> int:
        """Successes that were not judged so."""
        return self.false_failures + self.missed

    @property
    def precision(self) -> float:
        """Share of the judged successes that were successes; NaN before the first."""
        return _share(self.true_successes, self.true_successes + self.false_successes)

    @property
    def precision_lower(self) -> float:
        """One-sided 95 % Clopper-Pearson bound of the precision."""
        return lower_bound(self.true_successes, self.true_successes + self.false_successes)

    @property
    def recall(self) -> float:
        """Share of the successes that were judged so; NaN before the first."""
        return _share(self.true_successes, self.successes)

    @property
    def recall_lower(self) -> float:
        """One-sided 95 % Clopper-Pearson bound of the recall."""
        return lower_bound(self.true_successes, self.successes)

    @property
    def false_positive_rate(self) -> float:
        """Share of the failures that were judged successes; NaN before the first."""
        return _share(self.false_successes, self.failures)

    @property
    def false_positive_upper(self) -> float:
        """One-sided 95 % Clopper-Pearson bound of the false-positive rate."""
        return upper_bound(self.false_successes, self.failures)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else math.nan
