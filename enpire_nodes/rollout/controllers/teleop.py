"""The controller that does what a person wants, alone or over another controller.

The wish comes on ``operator/twist`` and ``operator/done``: from a keyboard with ``enpire teleop``,
or from any node that publishes ``geometry_msgs/Twist``, such as a SpaceMouse's. With ``base``
another controller works until the person takes over for as long as the hand is on the stick, as
in human-gated DAgger (Kelly et al., 2019): the way to record corrections of a policy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
import sys
from typing import Any

import numpy as np

from enpire_nodes.rollout.controllers import registry
from enpire_nodes.rollout.controllers.interface import Action, AttemptContext, Features
from enpire_nodes.rollout.controllers.settings import setting


@dataclass(frozen=True, slots=True)
class TeleopSettings:
    """How a wish becomes a motion."""

    gain: float = setting(1.0, 'of the velocity that is asked for', minimum=0.01, maximum=10.0)
    max_speed: float = setting(
        0.06, 'of the target, whatever is asked for', unit='m/s', minimum=0.001, maximum=0.2
    )
    base: str = setting(
        '', 'controller that works while nobody steers, with its own defaults; empty holds still'
    )


class Teleop:
    """Move as the person steers; without a wish, do as ``base`` does, or hold."""

    Settings = TeleopSettings
    #: The executor adds the features of :mod:`enpire_nodes.rollout.policy.operator`.
    operated = True

    def __init__(self, settings: TeleopSettings) -> None:
        if settings.base == 'teleop':
            raise ValueError('base = teleop would wait for itself; name another controller')
        self._settings = settings
        self._base: Any = registry.make(settings.base) if settings.base else None
        self._period = 1.0 / 30.0

    @staticmethod
    def files(settings: TeleopSettings) -> Sequence[Path]:
        """Return the files that decide what it does: the code of ``base``, and what that needs."""
        if not settings.base:
            return ()
        kind = registry.controller_class(settings.base)
        listed = getattr(kind, 'files', None)
        code = Path(sys.modules[kind.__module__].__file__)
        return (code, *(listed(kind.Settings()) if listed else ()))

    def reset(self, context: AttemptContext) -> None:
        """Begin an attempt."""
        self._period = 1.0 / context.control_rate
        if self._base is not None:
            self._base.reset(context)

    def step(self, features: Features) -> Action:
        """Decide one control period."""
        if features['operator_done'][0] > 0.5:
            return Action(done=True)
        wish = self._settings.gain * np.asarray(features['operator_velocity'], dtype=float)
        speed = float(np.linalg.norm(wish))
        proposed = self._base.step(features) if self._base is not None else Action()
        if speed == 0.0:
            return proposed
        return Action(delta=wish * min(1.0, self._settings.max_speed / speed) * self._period)
