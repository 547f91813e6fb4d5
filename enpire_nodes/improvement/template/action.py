"""Between the numbers of a network and the motion of the arm, in both directions.

An action is three numbers in [-1, 1]: how far the target of the tool moves in ``periods`` control
periods, in units of ``reach``. It is measured from where the tool had been sent, or, as far as the
recipe compensates for the lag of the arm, from where the tool is: a compliant arm sags and lags,
and what it was asked for is then not what it does.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from recipe import Action as ActionSettings

_BELOW = 0.012  # m below the depth at which it is done: how far it may push, the arm is a spring


def reference(features: Mapping[str, np.ndarray], compensation: float) -> np.ndarray:
    """Return the (..., 3) m from which an action is measured."""
    return features['target'] + compensation * (features['tcp'] - features['target'])


def recorded_actions(
    features: Mapping[str, np.ndarray], times: np.ndarray, settings: ActionSettings
) -> np.ndarray:
    """Return the (len(times) - 1, 3) actions that an attempt was made of.

    :param features: (n + 1, size) by name, as recorded.
    :param times: indices of the rows at which decisions were made; the last one is the end.
    """
    began = {name: features[name][times[:-1]] for name in ('target', 'tcp')}
    moved = features['target'][times[1:]] - reference(began, settings.compensation)
    return np.clip(moved / settings.reach, -1.0, 1.0).astype(np.float32)


class Motion:
    """Spreads each action evenly over its control periods."""

    def __init__(self, settings: ActionSettings, *, grasp_height: float = 0.05) -> None:
        self._settings, self._grasp_height = settings, grasp_height
        self.begin()

    def begin(self) -> None:
        """Begin an attempt."""
        self._left, self._goal = 0, np.zeros(3)

    @property
    def due(self) -> bool:
        """Whether the next control period needs a new action."""
        return self._left == 0

    def take(self, action: np.ndarray, features: Mapping[str, np.ndarray]) -> None:
        """Take an action of (3,) numbers."""
        settings = self._settings
        goal = reference(features, settings.compensation) + action * settings.reach
        aside = float(np.hypot(goal[0], goal[1]))
        if aside > settings.radius:
            goal[:2] *= settings.radius / aside
        lowest = self._grasp_height - settings.finish_depth - _BELOW
        goal[2] = np.clip(goal[2], lowest, self._grasp_height + settings.height)
        self._left, self._goal = settings.periods, goal

    def step(self, features: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the (3,) m by which the target moves in this control period."""
        step = (self._goal - features['target']) / self._left
        self._left -= 1
        return step


class Finish:
    """Tells when an attempt is over: deep for a while, or out of time."""

    def __init__(self, settings: ActionSettings, *, grasp_height: float = 0.05) -> None:
        self._low = grasp_height - settings.finish_depth
        self._time_limit = settings.time_limit
        self.begin()

    def begin(self) -> None:
        """Begin an attempt."""
        self._periods = 0

    def __call__(self, features: Mapping[str, np.ndarray]) -> bool:
        """Look at the features of one control period."""
        self._periods = self._periods + 1 if features['tcp'][2] < self._low else 0
        return self._periods >= 8 or float(features['elapsed'][0]) >= self._time_limit
