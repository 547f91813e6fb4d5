"""Putting streams together: an arm's state of three, and a command of two."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
import math

import numpy as np

from enpire_nodes.common.types import ArmCommand, ArmState
from enpire_nodes.environment.safety.arm import CommandRequest

#: Poses in a row without a wrench and a gripper state of the same stamp, after which the streams
#: of a driver are taken for independent.
_UNMATCHED = 3


@dataclass(frozen=True, slots=True, eq=False)
class _Sample:
    stamp: float
    arrival: float
    values: tuple


class StateAssembler:
    """Makes the states of one arm of its pose, wrench and gripper streams.

    Streams with common stamps give one state per stamp, as soon as the last of the three is there.
    Independent streams, where they are allowed, give one state per pose, with the newest of the
    other two. A stream that is silent, or in another frame, ends the states: the arm grows stale.

    :param frame: that poses and wrenches must be in.
    :param together: only common stamps count, as in lockstep.
    :param max_age: s of wall time, oldest wrench and gripper state that an independent pose takes.
    """

    def __init__(self, frame: str, *, together: bool, max_age: float) -> None:
        self._frame, self._together, self._max_age = frame, together, max_age
        self._samples: dict[str, _Sample] = {}
        self._unmatched = 0
        self.fault = ''

    def pose(
        self, stamp: float, frame: str, position: np.ndarray, quaternion: np.ndarray, now: float
    ) -> ArmState | None:
        """Take a pose; positions in m, quaternion xyzw. Return a state if there is a new one."""
        if not self._in_frame('tcp_pose', frame):
            return None
        self._unmatched += 1
        return self._add('pose', _Sample(stamp, now, (position, quaternion)))

    def wrench(
        self, stamp: float, frame: str, force: np.ndarray, torque: np.ndarray, now: float
    ) -> ArmState | None:
        """Take a wrench in N and N m. Return a state if there is a new one."""
        if not self._in_frame('wrench', frame):
            return None
        return self._add('wrench', _Sample(stamp, now, (force, torque)))

    def gripper(self, stamp: float, width: float, effort: float, now: float) -> ArmState | None:
        """Take a width in m and an effort in N. Return a state if there is a new one."""
        return self._add('gripper', _Sample(stamp, now, (width, effort)))

    def _in_frame(self, stream: str, frame: str) -> bool:
        if frame == self._frame:
            return True
        self.fault = (
            f'{stream} arrives in frame {frame!r}, but {self._frame!r} is needed: it is not used'
        )
        return False

    def _add(self, stream: str, sample: _Sample) -> ArmState | None:
        self._samples[stream] = sample
        if len(self._samples) < 3:
            return None
        samples = self._samples.values()
        if all(other.stamp == sample.stamp for other in samples):
            self._unmatched = 0
            return self._state()
        if self._together or stream != 'pose' or self._unmatched < _UNMATCHED:
            return None
        if any(sample.arrival - other.arrival > self._max_age for other in samples):
            return None
        return self._state()

    def _state(self) -> ArmState:
        self.fault = ''
        pose = self._samples['pose']
        return ArmState(
            pose.stamp,
            *pose.values,
            *self._samples['wrench'].values,
            *self._samples['gripper'].values,
        )


class TickAssembler:
    """Collects the states of all arms with one common stamp."""

    def __init__(self, arms: tuple[str, ...]) -> None:
        self._arms = arms
        self._states: dict[str, ArmState] = {}

    def add(self, arm: str, state: ArmState) -> Mapping[str, ArmState] | None:
        """Take an arm's state; return those of all arms if they have its stamp."""
        self._states[arm] = state
        states = self._states
        if len(states) < len(self._arms):
            return None
        complete = all(other.stamp == state.stamp for other in states.values())
        return dict(states) if complete else None


class CommandAssembler:
    """Makes commands of one arm of its target poses and gripper commands, paired by stamp."""

    def __init__(self, arm: str) -> None:
        self._arm = arm
        self._pose: tuple | None = None
        self._gripper: tuple | None = None

    def pose(
        self,
        stamp: float,
        frame: str,
        position: np.ndarray,
        quaternion: np.ndarray,
    ) -> CommandRequest | None:
        """Take a target pose; return the command if its gripper command is there."""
        self._pose = (stamp, frame, position, quaternion)
        return self._pair()

    def gripper(self, stamp: float, width: float, effort: float) -> CommandRequest | None:
        """Take a gripper command in m and N; return the command if its target pose is there."""
        self._gripper = (stamp, width, effort)
        return self._pair()

    def _pair(self) -> CommandRequest | None:
        if self._pose is None or self._gripper is None or self._pose[0] != self._gripper[0]:
            return None
        stamp, frame, position, quaternion = self._pose
        _, width, effort = self._gripper
        self._pose = self._gripper = None
        command = ArmCommand(position, quaternion, width, effort)
        return CommandRequest(self._arm, stamp, frame, command)


def first_or_nan(values: object) -> float:
    """Return the first number of a sequence; NaN, which no check passes, where there is none."""
    return float(values[0]) if len(values) else math.nan
