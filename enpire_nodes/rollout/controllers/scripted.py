"""The open-loop controller: above the hole as the arm reports it, then straight down."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from enpire_nodes.rollout.controllers.interface import Action, AttemptContext, Features
from enpire_nodes.rollout.controllers.motion import towards
from enpire_nodes.rollout.controllers.settings import setting

_ARRIVED = 0.0005  # m


@dataclass(frozen=True, slots=True)
class ScriptedSettings:
    """Where the tool stands when the pin is in, and how fast it goes there."""

    grasp_height: float = setting(
        0.050, 'tool centre point above the tip of the pin', unit='m', minimum=0.0, maximum=0.2
    )
    align_speed: float = setting(
        0.03, 'sideways, while it moves over the hole', unit='m/s', minimum=0.001, maximum=0.2
    )
    align_tolerance: float = setting(
        0.0005,
        'distance to the axis of the hole to go down at',
        unit='m',
        minimum=0.0001,
        maximum=0.01,
    )
    align_time: float = setting(
        2.0, 'longest time to spend on moving over the hole', unit='s', minimum=0.1, maximum=10.0
    )
    push_speed: float = setting(0.03, 'downwards', unit='m/s', minimum=0.001, maximum=0.2)
    depth: float = setting(
        0.030, 'of the tip below the rim that it pushes to', unit='m', minimum=0.0, maximum=0.06
    )
    push_lead: float = setting(
        0.0075,
        'of the target below the tool, at most: the arm is a spring, so that this is its push',
        unit='m',
        minimum=0.001,
        maximum=0.03,
    )
    push_time: float = setting(
        1.0,
        'time that it keeps pushing at the end of the way',
        unit='s',
        minimum=0.0,
        maximum=10.0,
    )


class Scripted:
    """Go to the reported position of the hole with the nominal grasp, and push.

    It never looks at a force or a picture, so that the calibration error of the arm decides.
    """

    Settings = ScriptedSettings

    def __init__(self, settings: ScriptedSettings) -> None:
        self._settings = settings
        self._period = 1.0 / 30.0
        self._waited = 0.0
        self._pushing = False

    def reset(self, context: AttemptContext) -> None:
        """Begin an attempt."""
        self._period = 1.0 / context.control_rate
        self._waited = 0.0
        self._pushing = False

    def step(self, features: Features) -> Action:
        """Decide one control period."""
        settings, tcp, target = self._settings, features['tcp'], features['target']
        self._waited += self._period
        if not self._pushing:
            aside = float(np.hypot(tcp[0], tcp[1]))
            if aside < settings.align_tolerance or self._waited > settings.align_time:
                self._pushing, self._waited = True, 0.0
            return Action(delta=towards(tcp, np.zeros(2), settings.align_speed * self._period))
        bottom = settings.grasp_height - settings.depth
        lowest = max(bottom, tcp[2] - settings.push_lead)
        if target[2] > lowest + _ARRIVED:
            self._waited = 0.0
        elif self._waited > settings.push_time:
            return Action(done=True)
        step = settings.push_speed * self._period
        return Action(delta=np.array([0.0, 0.0, np.clip(lowest - target[2], -step, step)]))
