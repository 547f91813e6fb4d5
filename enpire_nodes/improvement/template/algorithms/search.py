"""Contact search: no learning, a programme that feels for the hole (a heuristic to edit and beat).

Bring the tip over the hole as the cameras see it, go down until something pushes back, slide a
spiral over the face with a light press until the tip drops, and push. A second attempt begins its
spiral where the first one ended, turned: it looks where the last one did not.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from enpire_nodes.improvement import archimedean, spiral_step, towards

_SIDEWAYS, _DOWN, _SLIDE = 0.03, 0.03, 0.04  # m/s
_TOUCH, _PRESS = 1.0, 1.5  # N
_PITCH, _RADIUS = 0.0025, 0.011  # m
_DROP, _LEAD = 0.004, 0.0075  # m
_GOLDEN_ANGLE = 2.39996


class Search:
    """Decides one control period at a time; see policy.py."""

    def begin(self, attempt: int, control_rate: float) -> None:
        """Begin an attempt."""
        self._period = 1.0 / control_rate
        self._phase = 'align'
        self._waited = self._angle = 0.0
        self._turn = (attempt - 1) * _GOLDEN_ANGLE

    def __call__(self, features: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the (3,) m by which the target shall move."""
        tcp, tip, target = features['tcp'], features['tip'], features['target']
        down = np.array([0.0, 0.0, -_DOWN * self._period])
        self._waited += self._period
        if self._phase == 'align':
            centre = tcp[:2] - tip[:2] if features['tip_valid'][0] > 0.5 else np.zeros(2)
            if float(np.hypot(*(tcp[:2] - centre))) < 0.001 or self._waited > 2.0:
                self._phase, self._centre = 'descend', tcp[:2].copy()
            return towards(tcp, centre, _SIDEWAYS * self._period)
        if self._phase == 'descend':
            if features['force'][2] > _TOUCH:
                self._phase, self._rim = 'slide', float(tcp[2])
            return down if target[2] > tcp[2] - _LEAD else np.zeros(3)
        if tcp[2] < self._rim - _DROP:  # in the hole, whose walls centre the pin: give way
            return np.append(0.3 * (tcp[:2] - target[:2]), down[2] * (target[2] > tcp[2] - _LEAD))
        step = spiral_step(self._angle, pitch=_PITCH, length=_SLIDE * self._period)
        self._angle = (self._angle + step) % (2.0 * np.pi * _RADIUS / _PITCH)
        place = self._centre + archimedean(self._angle, pitch=_PITCH, phase=self._turn)
        press = 0.004 * (features['force'][2] - _PRESS) * self._period
        return np.append(place - target[:2], np.clip(press, down[2], -down[2]))
