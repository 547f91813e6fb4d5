"""What the safety gate enforces: motion, wrench, gripper and workspace limits of a station."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
import math

import numpy as np


def length(vector: np.ndarray) -> float:
    """Return the Euclidean norm; ten times faster on short vectors than numpy's."""
    return math.hypot(*vector.tolist())


@dataclass(frozen=True, slots=True)
class MotionLimits:
    """How far and how fast a target may go.

    :param workspace_margin: m, how far outside the box a target is moved back onto its surface
        instead of refused.
    :param lead: m, farthest that a target may lie ahead of the measured position.
    :param lead_angle: rad, the same for the orientation.
    :param step: m, largest change of a target by one command.
    :param step_angle: rad, the same for the orientation.
    :param speed: m/s, of the target.
    :param angular_speed: rad/s, of the target.
    :param refused_jump: m, a command farther than this from the last target trips the gate.
    :param refused_turn: rad, the same for the orientation.
    :param measured_speed: m/s, an arm that moves faster than this trips the gate.
    :param measured_angular_speed: rad/s, the same for its rotation.
    """

    workspace_margin: float
    lead: float
    lead_angle: float
    step: float
    step_angle: float
    speed: float
    angular_speed: float
    refused_jump: float
    refused_turn: float
    measured_speed: float
    measured_angular_speed: float


@dataclass(frozen=True, slots=True)
class WrenchLimits:
    """Norms of the measured force in N and torque in N m: soft blocks motion, hard trips."""

    soft_force: float
    hard_force: float
    soft_torque: float
    hard_torque: float


@dataclass(frozen=True, slots=True)
class GripperLimits:
    """Range of the width in m, largest effort in N, effort in N that keeps an unknown grip."""

    minimum_width: float
    maximum_width: float
    maximum_effort: float
    hold_effort: float


@dataclass(frozen=True, slots=True, eq=False)
class ArmLimits:
    """Where one arm may be sent.

    :param minimum: (3,) m, lowest corner of the workspace box in the station's frame.
    :param maximum: (3,) m, highest corner.
    :param tilt: rad, largest angle between the tool's +z axis and straight down.
    """

    minimum: np.ndarray
    maximum: np.ndarray
    tilt: float

    def clamp(self, position: np.ndarray) -> np.ndarray:
        """Return the point of the box that is nearest to ``position``."""
        return np.minimum(np.maximum(position, self.minimum), self.maximum)

    def excess(self, position: np.ndarray) -> float:
        """Return how far in m ``position`` lies outside the box; 0 within it."""
        return length(position - self.clamp(position))


@dataclass(frozen=True, slots=True, eq=False)
class Limits:
    """All limits of a station, and the sha256 ``digest`` of the file that they come from."""

    frame: str
    arms: Mapping[str, ArmLimits]
    motion: MotionLimits
    wrench: WrenchLimits
    gripper: GripperLimits
    digest: str
