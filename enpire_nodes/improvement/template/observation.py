"""From the features of a control period to the vector that a network is given.

The encoder also remembers, within a trial, what a policy that tries again should know: where it
first touched something, how many attempts there were, and where the last one ended. A learner runs
the same encoder over recorded trials, so that training and execution see the same numbers.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from recipe import Observation

_TOUCH = 1.0  # N, vertical force that counts as touching
_MOST_ATTEMPTS = 8
#: What one unit of an input means: m, N and N m that matter in an insertion.
_LENGTH, _FORCE, _TORQUE = 0.01, 5.0, 0.5


class Encoder:
    """Makes (size,) float32 vectors; to be fed every control period of a trial, in order.

    :param settings: what to include.
    :param time_limit: s, of an attempt.
    """

    def __init__(self, settings: Observation, time_limit: float) -> None:
        self._settings, self._time_limit = settings, time_limit
        self._last_end: np.ndarray | None = None
        self.begin(1)

    @property
    def size(self) -> int:
        """Length of the vectors."""
        return 18 + 4 * self._settings.touch + 5 * self._settings.retries

    def begin(self, attempt: int) -> None:
        """Begin an attempt; the first of a trial forgets the trial before."""
        if attempt <= 1:
            self._last_end = None
        self._attempt = attempt
        self._touch: np.ndarray | None = None
        self._touched_at = 0.0
        self._tcp = np.zeros(3)

    def end(self) -> None:
        """End an attempt: where it ended is what the next one is told."""
        self._last_end = self._tcp.copy()

    def __call__(self, features: Mapping[str, np.ndarray]) -> np.ndarray:
        """Encode the features of one control period (see tasks/<task>/observe.py)."""
        tcp, tip, force = features['tcp'], features['tip'], features['force']
        elapsed = float(features['elapsed'][0])
        self._tcp = np.asarray(tcp, dtype=float)
        parts = [
            (tcp - (0.0, 0.0, 0.05)) / _LENGTH,
            tip / _LENGTH,
            features['tip_valid'],
            (features['target'] - tcp) / _LENGTH,
            np.clip(force / _FORCE, -3.0, 3.0),
            np.clip(features['torque'] / _TORQUE, -3.0, 3.0),
            (features['gripper'][0] / 0.012 - 1.0, elapsed / self._time_limit),
        ]
        if self._settings.touch:
            parts.append(self._touching(tcp, float(force[2]), elapsed))
        if self._settings.retries:
            parts.append(self._retrying(tcp))
        return np.concatenate(parts).astype(np.float32)

    def _touching(self, tcp: np.ndarray, force: float, elapsed: float) -> np.ndarray:
        if self._touch is None:
            if force <= _TOUCH:
                return np.zeros(4)
            self._touch, self._touched_at = np.array(tcp[:2], dtype=float), elapsed
        since = (elapsed - self._touched_at) / self._time_limit
        return np.array([1.0, since, *((tcp[:2] - self._touch) / _LENGTH)])

    def _retrying(self, tcp: np.ndarray) -> np.ndarray:
        again = (self._attempt - 1) / (_MOST_ATTEMPTS - 1)
        if self._last_end is None:
            return np.array([again, 0.0, 0.0, 0.0, 0.0])
        return np.array([again, 1.0, *((tcp - self._last_end) / _LENGTH)])


def picture(features: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the (cameras, size, size, 3) uint8 crops among the features; there may be none."""
    names = sorted(name for name in features if name.startswith('image/'))
    if not names:
        return np.zeros((0, 0, 0, 3), np.uint8)
    return np.stack([features[name] for name in names])
