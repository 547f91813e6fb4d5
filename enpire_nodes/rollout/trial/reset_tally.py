"""How well the scene resets itself, counted over trials."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
import math

from enpire_nodes.rollout.records import TrialOutcome, TrialRecord
from enpire_nodes.rollout.statistics import lower_bound


class ResetTally:
    """Counts the resets of closed trials.

    A reset that a crash, a cancellation or the emergency stop cut off says nothing about the
    reset and is left out.
    """

    def __init__(self, trials: Iterable[TrialRecord] = ()) -> None:
        self.successes = self.failures = self.retries = 0
        self.causes: Counter[str] = Counter()
        self.total_seconds = self.max_seconds = 0.0
        for trial in trials:
            self.add(trial)

    def add(self, trial: TrialRecord) -> None:
        """Count a trial that is closed."""
        failed = trial.outcome is TrialOutcome.RESET_FAILED
        ready = trial.execute_seconds > 0.0 or bool(trial.attempts)
        if not (failed or ready):
            return
        self.retries += trial.reset_retries
        self.causes.update(trial.reset_recoveries)
        if failed:
            self.failures += 1
            self.causes[trial.error_code.name.lower()] += 1
            return
        self.successes += 1
        self.total_seconds += trial.reset_seconds
        self.max_seconds = max(self.max_seconds, trial.reset_seconds)

    @property
    def attempts(self) -> int:
        """Resets that ended by themselves."""
        return self.successes + self.failures

    @property
    def rate(self) -> float:
        """Share of resets that ended with a verified scene; NaN before the first."""
        return self.successes / self.attempts if self.attempts else math.nan

    @property
    def lower(self) -> float:
        """One-sided 95 % Clopper-Pearson lower bound of the rate."""
        return lower_bound(self.successes, self.attempts)

    @property
    def mean_seconds(self) -> float:
        """Mean time of a successful reset in s; NaN before the first."""
        return self.total_seconds / self.successes if self.successes else math.nan
