"""What a station senses and what it is told to do, free of ROS.

Units are SI, poses are expressed in the station frame ``world`` (REP-103), quaternions are in ROS
order ``(x, y, z, w)``, and stamps are seconds of the station's clock (wall or simulated).
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np


@dataclass(frozen=True, slots=True, eq=False)
class ArmState:
    """One arm at one instant.

    :param stamp: s, when it was measured.
    :param position: (3,) m, tool centre point in ``world``.
    :param quaternion: (4,) xyzw, orientation of the tool frame in ``world``; +z leaves the hand.
    :param force: (3,) N that the environment exerts on the tool, along the axes of ``world``:
        pressing down on a table reads positive z.
    :param torque: (3,) N m about the tool centre point, along the axes of ``world``.
    :param gripper_width: m between the finger pads.
    :param gripper_effort: N that the fingers apply, positive when squeezing.
    """

    stamp: float
    position: np.ndarray
    quaternion: np.ndarray
    force: np.ndarray
    torque: np.ndarray
    gripper_width: float
    gripper_effort: float


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture: ``image`` is (height, width, 3) uint8 RGB, ``stamp`` its exposure in s."""

    stamp: float
    image: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """Everything sensed at one control period: every arm, and the newest frame of each camera."""

    stamp: float
    arms: Mapping[str, ArmState]
    frames: Mapping[str, Frame] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class ArmCommand:
    """Where one arm shall go.

    :param position: (3,) m, target of the tool centre point in ``world``.
    :param quaternion: (4,) xyzw, target orientation of the tool frame in ``world``.
    :param gripper_width: m between the finger pads that the gripper shall reach.
    :param gripper_effort: N, the most that the fingers may squeeze with.
    """

    position: np.ndarray
    quaternion: np.ndarray
    gripper_width: float
    gripper_effort: float = 20.0


#: One command per arm that is to move; the safety gate holds every arm that is not named.
Command = Mapping[str, ArmCommand]

Result = TypeVar('Result')

#: A motion that runs in lockstep with the control period: it is sent each observation, yields the
#: command for it, and returns its result. The first ``next()`` primes it and yields nothing
#: (``None``); every later ``send(observation)`` yields a command. It raises
#: :class:`~enpire_nodes.common.errors.StationError` when it cannot go on.
Program = Generator[Command | None, Observation, Result]
