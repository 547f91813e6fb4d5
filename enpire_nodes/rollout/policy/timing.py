"""Durations of the recent past, and their percentiles."""

from __future__ import annotations

from collections import deque

import numpy as np


class Durations:
    """The newest durations, s.

    :param size: how many are kept.
    """

    def __init__(self, size: int = 1800) -> None:
        self._values: deque[float] = deque(maxlen=size)

    def add(self, seconds: float) -> None:
        """Keep a duration."""
        self._values.append(seconds)

    def percentile(self, percent: float) -> float:
        """Return a percentile in s; NaN before the first duration."""
        return float(np.percentile(self._values, percent)) if self._values else float('nan')

    def __len__(self) -> int:
        return len(self._values)


class PeriodJitter:
    """How far the control periods are from their nominal length.

    :param period: s.
    """

    def __init__(self, period: float) -> None:
        self._period = period
        self._last: float | None = None
        self.deviations = Durations()

    def begin(self) -> None:
        """Forget the last mark: a new attempt begins."""
        self._last = None

    def mark(self, now: float) -> None:
        """Note that a command went out at ``now`` (s, monotonic)."""
        if self._last is not None:
            self.deviations.add(abs(now - self._last - self._period))
        self._last = now
