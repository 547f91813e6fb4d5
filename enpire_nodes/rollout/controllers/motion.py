"""Small motions that controllers are made of."""

from __future__ import annotations

import numpy as np

#: of the remaining way, taken each control period: quick, and slow enough for an arm that lags
_GAIN = 0.2


def towards(tcp: np.ndarray, place: np.ndarray, longest: float) -> np.ndarray:
    """Return the sideways step of the target that brings the tool itself over ``place``.

    Because it follows the measured tool, it also takes out what the arm sags or lags.

    :param tcp: (3,) m, the measured tool.
    :param place: (2,) m, where it shall be.
    :param longest: m, the longest step.
    :return: (3,) m, with z = 0.
    """
    step = _GAIN * (place - tcp[:2])
    length = float(np.hypot(*step))
    if length > longest:
        step *= longest / length
    return np.array([step[0], step[1], 0.0])


def archimedean(angle: float, *, pitch: float, phase: float = 0.0) -> np.ndarray:
    """Return the (2,) point in m of the spiral that grows by ``pitch`` m a turn.

    :param angle: rad, run through from 0.
    :param phase: rad, turns the whole spiral.
    """
    radius = pitch * angle / (2.0 * np.pi)
    return radius * np.array([np.cos(angle + phase), np.sin(angle + phase)])


def spiral_step(angle: float, *, pitch: float, length: float, largest: float = 0.9) -> float:
    """Return the increment of ``angle`` in rad that moves ``length`` m along the spiral.

    :param largest: rad, so that the tight start is not run through in one step.
    """
    radius = pitch * angle / (2.0 * np.pi)
    return min(largest, length / max(radius, pitch / (2.0 * np.pi)))
