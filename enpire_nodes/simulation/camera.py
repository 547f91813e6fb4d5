"""A stream of pictures: when the next one is due, what goes wrong with it, when it arrives."""

from __future__ import annotations

from collections import deque
from enum import Enum

import numpy as np

from enpire_nodes.common.types import Frame
from enpire_nodes.simulation.noise import NoiseSettings, PixelNoise, stream


class CameraFault(str, Enum):
    """What is wrong with a camera."""

    NONE = 'none'
    STOPPED = 'stopped'  # no frames any more
    FROZEN = 'frozen'  # goes on sending its last picture, with fresh stamps


class CameraStream:
    """The frames of one camera between its sensor and whoever reads them.

    Random draws happen for every due frame, whatever its fate, so that faults and noise settings
    that change on the way do not shift later draws.

    :param name: of the camera.
    :param seed: of the station.
    :param size: (width, height) in pixels.
    """

    def __init__(self, name: str, seed: int, size: tuple[int, int]) -> None:
        self.name = name
        self.fault = CameraFault.NONE
        self.newest: Frame | None = None
        self.dropped = 0
        self._drops = stream(seed, f'camera/{name}/drop')
        self._noise = PixelNoise(stream(seed, f'camera/{name}/pixels'), size[0] * size[1] * 3)
        self._travelling: deque[tuple[float, Frame]] = deque()
        self._last: np.ndarray | None = None

    def wants_picture(self, noise: NoiseSettings) -> bool:
        """Decide the fate of the frame that is due now: whether it needs to be drawn."""
        lost = self._drops.random() < noise.frame_drop
        self.dropped += lost
        if self.fault is CameraFault.STOPPED or lost:
            return False
        return self.fault is not CameraFault.FROZEN or self._last is None

    def repeats(self) -> bool:
        """Return whether the due frame is the last picture once more."""
        return self.fault is CameraFault.FROZEN and self._last is not None

    def take(self, image: np.ndarray | None, stamp: float, noise: NoiseSettings) -> None:
        """Send a frame on its way.

        :param image: the picture as drawn, or None to repeat the last one.
        :param stamp: s, its exposure.
        :param noise: errors to apply.
        """
        if image is not None:
            self._last = self._noise.apply(image, noise.pixel_sd)
        self._travelling.append((stamp + noise.frame_latency, Frame(stamp, self._last)))

    def deliver(self, now: float) -> Frame | None:
        """Return the newest frame that has arrived by ``now`` and was not returned before."""
        arrived = None
        while self._travelling and self._travelling[0][0] <= now + 1e-9:
            arrived = self._travelling.popleft()[1]
        if arrived is not None:
            self.newest = arrived
        return arrived
