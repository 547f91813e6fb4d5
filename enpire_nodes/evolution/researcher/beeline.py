"""A beeline: no learning, the first programme that comes to mind (to edit, and to beat).

Go straight from where the hand is to where it stands with the pin in the hole, both as the arm
reports them, whatever pushes back.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

_SPEED = 0.03  # m/s
_LEAD = 0.0075  # m of the target below the tool, at most: the arm is a spring, this is its push
_DEEP = 0.015  # m above the rim, of the hand that holds a pin in the hole


class Search:
    """Decides one control period at a time; see policy.py."""

    def begin(self, attempt: int, control_rate: float) -> None:
        """Begin an attempt."""
        self._period = 1.0 / control_rate

    def __call__(self, features: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the (3,) m by which the target shall move."""
        tcp, target = features['tcp'], features['target']
        goal = np.array([0.0, 0.0, _DEEP])
        step = goal - tcp
        step *= min(1.0, _SPEED * self._period / max(1e-9, float(np.linalg.norm(step))))
        step[2] = max(step[2], tcp[2] - _LEAD - target[2])
        return step
