"""How sensing and acting differ from the truth, drawn from seeds and repeatable to the bit."""

from __future__ import annotations

from dataclasses import dataclass, fields
import zlib

import numpy as np


@dataclass(frozen=True, slots=True)
class NoiseSettings:
    """Sizes of the errors of a station; the default of every one is none.

    :param drift_sd: m per axis, standard deviation of the wandering offset between the reported
        and the true tool position. Commands are understood in the reported frame.
    :param drift_time: s, time constant of that wandering.
    :param pose_sd: m per axis, white noise of the reported position.
    :param force_sd: N per axis, white noise of the measured force.
    :param torque_sd: N m per axis, white noise of the measured torque.
    :param wrench_bias_sd: N per axis (and a tenth of it in N m), constant offset for a seed.
    :param pixel_sd: grey levels, white noise of pictures.
    :param camera_position_sd: m per axis, how far a camera is from where it is said to be.
    :param camera_angle_sd: rad per axis, how far it is turned from where it is said to look.
    :param light_variation: share within [0, 1) by which the brightness may differ for a seed.
    :param frame_drop: probability that a frame is lost.
    :param frame_latency: s from exposure to delivery.
    :param command_latency: s from a command's arrival to its effect.
    :raises ValueError: for a value that is not finite or out of range.
    """

    drift_sd: float = 0.0
    drift_time: float = 120.0
    pose_sd: float = 0.0
    force_sd: float = 0.0
    torque_sd: float = 0.0
    wrench_bias_sd: float = 0.0
    pixel_sd: float = 0.0
    camera_position_sd: float = 0.0
    camera_angle_sd: float = 0.0
    light_variation: float = 0.0
    frame_drop: float = 0.0
    frame_latency: float = 0.0
    command_latency: float = 0.0

    def __post_init__(self) -> None:
        for entry in fields(self):
            value = getattr(self, entry.name)
            if not np.isfinite(value) or value < 0.0:
                raise ValueError(f'noise.{entry.name} is {value}; it must be finite and >= 0')
        if self.frame_drop > 1.0 or self.light_variation >= 1.0 or self.drift_time <= 0.0:
            raise ValueError(
                'noise: frame_drop must be <= 1, light_variation < 1 and drift_time > 0'
            )


def stream(seed: int, name: str) -> np.random.Generator:
    """Return the generator of one source of randomness.

    Every source has its own, so that switching one on or off leaves the others as they were.
    """
    return np.random.default_rng(np.random.SeedSequence([seed, zlib.crc32(name.encode())]))


class Drift:
    """An Ornstein-Uhlenbeck walk: it wanders slowly about zero, and its spread is stationary.

    :param rng: where the steps come from.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._unit = rng.standard_normal(3)

    def advance(self, seconds: float, time_constant: float) -> None:
        """Let it wander for ``seconds``, exactly and whatever the size of the step."""
        keep = float(np.exp(-seconds / time_constant))
        self._unit = keep * self._unit + np.sqrt(1.0 - keep**2) * self._rng.standard_normal(3)

    def value(self, deviation: float) -> np.ndarray:
        """Return the (3,) offset now, in the unit of ``deviation``."""
        return deviation * self._unit


class PixelNoise:
    """White noise for pictures out of a bank drawn once: a fresh window costs next to nothing.

    :param rng: where the bank and the windows come from.
    :param values: in one picture (height x width x 3).
    """

    def __init__(self, rng: np.random.Generator, values: int) -> None:
        self._rng, self._windows = rng, values + 1
        self._unit = rng.standard_normal(2 * values, dtype=np.float32)
        self._bank, self._deviation = np.zeros(2 * values, np.int8), 0.0

    def apply(self, image: np.ndarray, deviation: float) -> np.ndarray:
        """Return the (h, w, 3) uint8 picture with noise of ``deviation`` grey levels."""
        start = int(self._rng.integers(self._windows))
        if deviation <= 0.0:
            return image
        if deviation != self._deviation:
            self._bank = np.clip(np.rint(self._unit * deviation), -127, 127).astype(np.int8)
            self._deviation = deviation
        noise = self._bank[start : start + image.size].reshape(image.shape)
        noisy = image.astype(np.int16) + noise
        return np.clip(noisy, 0, 255, out=noisy).astype(np.uint8)
