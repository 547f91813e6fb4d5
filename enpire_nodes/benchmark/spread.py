"""How a sample of a quantity is spread."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Spread:
    """Percentiles of a sample, in the unit of its values.

    With fewer than 100 values, ``p99`` is close to the largest one: read it beside ``n``.
    """

    n: int
    p50: float
    p99: float
    mean: float
    largest: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread | None:
        """Return the spread of ``values``, or None when there are none."""
        sample = np.fromiter(values, dtype=float)
        if not sample.size:
            return None
        middle, high = np.percentile(sample, [50, 99])
        return cls(
            int(sample.size), float(middle), float(high), float(sample.mean()), float(sample.max())
        )


def mean_interval(
    values: Iterable[float], *, confidence: float = 0.95, draws: int = 4000
) -> tuple[float, float]:
    """Return a bootstrap interval of the mean of ``values``; (NaN, NaN) for fewer than two.

    :param confidence: two-sided.
    :param draws: resamples; the same ones every time.
    """
    sample = np.fromiter(values, dtype=float)
    if sample.size < 2:
        return float('nan'), float('nan')
    picks = np.random.default_rng(0).integers(0, sample.size, (draws, sample.size))
    tail = 50.0 * (1.0 - confidence)
    low, high = np.percentile(sample[picks].mean(axis=1), [tail, 100.0 - tail])
    return float(low), float(high)
