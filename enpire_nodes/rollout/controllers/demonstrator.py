"""A stand-in for the person who demonstrates a task, where there is none: in simulation.

It watches what a policy may see, as a person watches the pictures, and steers as people do: late
by a reaction time, with a hand that trembles, at a speed of the day, and sometimes it pauses,
overshoots, misjudges where the hole is and corrects. It fails now and then. What it knows of the
task is the order of things: bring the tip of the pin over the hole, lower it, and lift it again
where it rests on the rim.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from enpire_nodes.rollout.controllers.interface import Action, AttemptContext, Features
from enpire_nodes.rollout.controllers.settings import setting

_YIELD = 0.0015  # m/s for each newton: a hand gives way to what it runs against
_STUCK = 0.5  # s of resting on the rim before a person lifts the pin and tries beside it
_RESTS, _PUSH = 1.5, 0.007  # N of resting on something; m that it pushes ahead of the tool
_INSIDE, _CLEAR = -0.004, 0.004  # m, heights of the tip: in the hole, clear of the rim
_OVER, _NEAR = 0.0025, 0.006  # m beside the hole: to begin to go down, to go on


@dataclass(frozen=True, slots=True)
class DemonstratorSettings:
    """How good the hand is."""

    speed: float = setting(0.035, 'of the hand', unit='m/s', minimum=0.005, maximum=0.1)
    gain: float = setting(
        2.0, 'speed for each metre that is left', unit='1/s', minimum=0.1, maximum=10.0
    )
    reaction: float = setting(
        0.2, 'time between what it sees and what it does', unit='s', minimum=0.0, maximum=1.0
    )
    tremor: float = setting(
        0.006, 'standard deviation of the speed', unit='m/s', minimum=0.0, maximum=0.05
    )
    misjudged: float = setting(
        0.0015,
        'standard deviation of where it believes the axis of the hole, drawn anew for an attempt',
        unit='m',
        minimum=0.0,
        maximum=0.01,
    )
    pauses: float = setting(0.15, 'how often it stops to look', unit='1/s', minimum=0.0, maximum=2)
    depth: float = setting(
        0.030, 'of the tip below the rim that it pushes to', unit='m', minimum=0.0, maximum=0.06
    )
    grasp_height: float = setting(
        0.050, 'tool centre point above the tip of the pin', unit='m', minimum=0.0, maximum=0.2
    )


class Demonstrator:
    """Insert the pin as a person would."""

    Settings = DemonstratorSettings

    def __init__(self, settings: DemonstratorSettings) -> None:
        self._settings = settings
        self.reset(AttemptContext())

    def reset(self, context: AttemptContext) -> None:
        """Begin an attempt."""
        settings = self._settings
        self._rng = np.random.default_rng(context.seed)
        self._period = 1.0 / context.control_rate
        self._misjudged = self._rng.normal(0.0, settings.misjudged, 2)
        self._speed = settings.speed * float(self._rng.uniform(0.7, 1.3))
        self._seen: deque[dict[str, np.ndarray]] = deque(
            maxlen=1 + round(settings.reaction / self._period)
        )
        self._shake = np.zeros(3)
        self._pause = self._rested = self._held = 0.0
        self._down = self._lifting = False

    def step(self, features: Features) -> Action:
        """Decide one control period."""
        self._seen.append({name: np.array(values) for name, values in features.items()})
        seen, settings = self._seen[0], self._settings
        if self._finished(seen):
            return Action(done=True)
        wish = self._wish(seen)
        # tremor is a slow random walk about zero: hands do not jump from one period to the next
        self._shake += self._period / 0.15 * -self._shake + np.sqrt(
            2.0 * self._period / 0.15
        ) * settings.tremor * self._rng.standard_normal(3)
        if self._rng.random() < settings.pauses * self._period:
            self._pause = float(self._rng.uniform(0.1, 0.5))
        self._pause -= self._period
        if self._pause > 0.0:
            wish = np.zeros(3)
        return Action(delta=(wish + self._shake) * self._period)

    def _wish(self, seen: dict[str, np.ndarray]) -> np.ndarray:
        """Return the (3,) velocity in m/s that the person has in mind."""
        settings, force, tip = self._settings, seen['force'], seen['tip']
        aside = tip[:2] - self._misjudged
        distance = float(np.hypot(*aside))
        inside = tip[2] < _INSIDE
        resting = force[2] > _RESTS and not inside
        self._rested = self._rested + self._period if resting else 0.0
        wish = np.zeros(3)
        if self._rested > _STUCK:  # the place that it had in mind is not the hole
            self._lifting = True
            self._misjudged = self._rng.normal(0.0, settings.misjudged, 2)
        if self._lifting:
            self._lifting = tip[2] < _CLEAR or force[2] > _RESTS
            wish[2] = self._speed
        elif inside or distance < (_NEAR if self._down else _OVER):
            self._down = True
            lead = seen['tcp'][2] - seen['target'][2]
            wish[2] = -self._speed if lead < _PUSH else 0.0
        else:
            self._down = False
        if seen['tip_valid'][0] > 0.5 and not inside:
            wish[:2] = -settings.gain * aside
        wish[:2] += _YIELD * force[:2]
        length = float(np.linalg.norm(wish))
        return wish * min(1.0, self._speed / length) if length > 0.0 else wish

    def _finished(self, seen: dict[str, np.ndarray]) -> bool:
        """Tell whether the hand has been low for long enough to believe it."""
        bottom = self._settings.grasp_height - self._settings.depth
        low = seen['tcp'][2] < bottom + 0.004 or (
            seen['tip'][2] < -0.022 and seen['tip_valid'][0] > 0.5
        )
        self._held = self._held + self._period if low else 0.0
        return self._held > 0.5
