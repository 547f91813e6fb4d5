"""What a person steers with, as the features of a controller that wants it.

A hand on a key or a SpaceMouse must keep saying what it wants: a velocity that is not repeated
within :data:`FRESH` counts as none, so that a broken cable stops the arm.
"""

from __future__ import annotations

from collections.abc import Callable
import time

import numpy as np

#: s of the wall clock for which a velocity counts.
FRESH = 0.3
_NOTHING = 1e-6  # m/s


class OperatorInput:
    """The newest wish of a person, and for how long the person has steered.

    :param period: s, the control period that one call of :meth:`features` stands for.
    :param clock: monotonic wall seconds.
    """

    def __init__(self, period: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._period, self._clock = period, clock
        self._velocity, self._arrival = np.zeros(3), -np.inf
        self._done = False
        self.seconds = 0.0  #: of steering since :meth:`begin`

    def begin(self) -> None:
        """Forget what was said before: an attempt begins."""
        self._arrival, self._done, self.seconds = -np.inf, False, 0.0

    def steer(self, velocity: np.ndarray) -> None:
        """Take a velocity of the tool, (3,) m/s in ``world``; one that is not finite is none."""
        wanted = np.asarray(velocity, dtype=float)
        self._velocity = wanted if np.isfinite(wanted).all() else np.zeros(3)
        self._arrival = self._clock()

    def finish(self) -> None:
        """Hear that the person has nothing left to do in this attempt."""
        self._done = True

    def features(self) -> dict[str, np.ndarray]:
        """Return the features of one control period.

        :return: ``operator_velocity`` (3,) m/s, and ``operator_done`` (1,), 1 when finished.
        """
        fresh = self._clock() - self._arrival <= FRESH
        velocity = self._velocity.copy() if fresh else np.zeros(3)
        if float(np.linalg.norm(velocity)) > _NOTHING:
            self.seconds += self._period
        return {
            'operator_velocity': velocity,
            'operator_done': np.array([1.0 if self._done else 0.0]),
        }
