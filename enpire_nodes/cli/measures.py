"""What the bench measures of one way to run trials."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean

import numpy as np

from enpire_nodes.cli.scores import mishaps
from enpire_nodes.rollout.records import TrialRecord


@dataclass(slots=True)
class Measures:
    """A number of trials, run in one way.

    :param seconds: s of the wall clock for all of them, nothing left out.
    :param memory: bytes (PSS) of each process.
    :param jitter: s, p50 and p99 of the control period's deviation.
    :param latencies: s, of every verdict.
    :param lost: messages missing in the bags, by topic.
    """

    name: str
    trials: list[TrialRecord] = field(default_factory=list)
    seconds: float = 0.0
    memory: dict[str, int] = field(default_factory=dict)
    jitter: tuple[float, float] = (float('nan'), float('nan'))
    latencies: list[float] = field(default_factory=list)
    lost: dict[str, int] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)

    @property
    def wall(self) -> float:
        """Wall-clock s per trial, everything between two trials included."""
        return self.seconds / len(self.trials) if self.trials else float('nan')

    @property
    def simulated(self) -> float:
        """Station's s per s of the wall clock."""
        spans = [trial.end_ns - trial.start_ns for trial in self.trials]
        return sum(spans) / 1e9 / self.seconds if self.seconds else float('nan')

    @property
    def judged(self) -> bool:
        """Whether every trial went to its verdict, so that another way can be compared."""
        return bool(self.trials) and not mishaps(self.trials)

    def mean(self, name: str) -> float:
        """Return the mean of a field of the trials."""
        return (
            fmean(getattr(trial, name) for trial in self.trials) if self.trials else float('nan')
        )

    def latency(self, percent: float) -> float:
        """Return a percentile of the verdicts' latency in s."""
        return percentile(self.latencies, percent)


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure to be reached.

    :param value: what was measured; NaN when it could not be.
    :param limit: the most that it may be.
    """

    name: str
    value: float
    limit: float
    unit: str
    how: str

    @property
    def reached(self) -> bool:
        """Whether the value is known and within its limit."""
        return bool(self.value <= self.limit)


def percentile(values: Sequence[float], percent: float) -> float:
    """Return a percentile; NaN of nothing."""
    known = [value for value in values if np.isfinite(value)]
    return float(np.percentile(known, percent)) if known else float('nan')
