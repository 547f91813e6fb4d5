"""From log-odds to a calibrated score, and from a score to a verdict."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from enpire_nodes.tasks.api import Outcome

_EDGE = 1e-6


@dataclass(frozen=True, slots=True)
class Range:
    """Scores up to ``low`` mean FAILURE, from ``high`` on SUCCESS, between them UNCERTAIN."""

    low: float
    high: float

    def __post_init__(self) -> None:
        """Refuse thresholds that leave no range."""
        if not 0.0 <= self.low < self.high <= 1.0:
            raise ValueError(f'the thresholds {self.low} and {self.high} leave no range')

    def verdict(self, score: float) -> Outcome:
        """Tell what a score means; one that is no number is UNCERTAIN."""
        if score >= self.high:
            return Outcome.SUCCESS
        return Outcome.FAILURE if score <= self.low else Outcome.UNCERTAIN


def calibrated(logits: np.ndarray, temperature: float) -> np.ndarray:
    """Return scores between 0 and 1, neither of which is ever reached.

    :param logits: log-odds of success, of any shape.
    :param temperature: by which they are divided.
    """
    scaled = np.clip(np.asarray(logits, dtype=float) / temperature, -50.0, 50.0)
    return np.clip(1.0 / (1.0 + np.exp(-scaled)), _EDGE, 1.0 - _EDGE)
