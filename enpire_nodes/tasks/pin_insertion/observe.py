"""What a policy gets to see: the hand and the pin's tip relative to the hole."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from enpire_nodes.common.cameras import Camera
from enpire_nodes.common.types import Frame, Observation
from enpire_nodes.tasks.api import Pose
from enpire_nodes.tasks.pin_insertion.settings import PinInsertionSettings
from enpire_nodes.tasks.pin_insertion.vision import analyse, Eyes, View

_FRESH = 0.3  # s, how long a sighting of the tip counts as valid
_AROUND = 0.10  # m about the hole that is searched for the pin


class PinObserver:
    """Makes features of observations; see :class:`~enpire_nodes.tasks.api.Observer`.

    :param settings: of the task.
    :param cameras: calibrated, by name.
    :param fixture: the hole, from the reset's report.
    """

    def __init__(
        self, settings: PinInsertionSettings, cameras: Mapping[str, Camera], fixture: Pose
    ) -> None:
        self._settings, self._origin = settings, np.asarray(fixture.position, dtype=float)
        self._names = settings.cameras
        chosen = {name: cameras[name] for name in self._names}
        self._eyes = Eyes(chosen, settings)
        self._windows = {
            name: self._eyes.window(name, self._origin, _AROUND) for name in self._names
        }
        self.reset()

    def reset(self) -> None:
        """Forget the attempt before: what zero force is, and where the tip was."""
        self._tare: tuple[np.ndarray, np.ndarray] | None = None
        self._views: dict[str, tuple[float, View]] = {}
        self._tip = np.array([0.0, 0.0, self._settings.reset.hover])
        self._tip_stamp = -np.inf

    def features(self, observation: Observation, *, elapsed: float = 0.0) -> dict[str, np.ndarray]:
        """Return the features of one control period, in ``world``, relative to the hole's rim."""
        state = observation.arms[self._settings.arm]
        if self._tare is None:
            self._tare = (state.force.copy(), state.torque.copy())
        self._see(observation.frames)
        fresh = observation.stamp - self._tip_stamp <= _FRESH
        return {
            'tcp': state.position - self._origin,
            'orientation': np.asarray(state.quaternion, dtype=float).copy(),
            'force': state.force - self._tare[0],
            'torque': state.torque - self._tare[1],
            'gripper': np.array([state.gripper_width, state.gripper_effort]),
            'tip': self._tip.copy(),
            'tip_valid': np.array([1.0 if fresh else 0.0]),
            'elapsed': np.array([float(elapsed)]),
        }

    def _see(self, frames: Mapping[str, Frame]) -> None:
        """Look at new pictures; the first of each camera also tells how the camera is nudged."""
        new = False
        for name in self._names:
            frame = frames.get(name)
            known = self._views.get(name)
            if frame is None or (known is not None and frame.stamp <= known[0]):
                continue
            window = None if known is None else self._windows[name]
            self._views[name] = (frame.stamp, analyse(frame.image, self._settings, window))
            new = True
        if not new or len(self._views) < len(self._names):
            return
        stamps = [stamp for stamp, _ in self._views.values()]
        if max(stamps) - min(stamps) > 0.06:
            return  # one camera is late: the two pictures do not belong together
        pin = self._eyes.pin({name: view for name, (_, view) in self._views.items()})
        if pin is not None:
            self._tip, self._tip_stamp = pin.bottom - self._origin, min(stamps)
