"""Checking one arm's commands against the limits: what passes, what is shortened, what trips.

The checks run in the order of the code: finite, workspace, tilt, jump, step and speed, lead,
force. A command that is only a little too much is shortened and counted; one that cannot have been
meant is a violation. The result never lies outside the workspace box unless the arm already does,
and then never farther outside than the last target or the measured pose.
"""

from __future__ import annotations

from dataclasses import dataclass
import math

import numpy as np

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.geometry import matrix_from_quaternion, rotation_angle, slerp
from enpire_nodes.common.types import ArmCommand, ArmState
from enpire_nodes.environment.safety.limits import length, Limits

#: s of motion at the speed limit that a commander may catch up with after a late command.
_CREDIT = 0.1
_TINY = 1e-9
_IMPOSSIBLE = 1e6  # m, N or N m: a number this large is a defect like infinity


@dataclass(frozen=True, slots=True, eq=False)
class Filtered:
    """A command that may be forwarded, and the names of the limits that shortened it."""

    command: ArmCommand
    limited: tuple[str, ...] = ()


class ArmFilter:
    """The motion filter of one arm.

    :param name: of the arm, for messages and for its workspace.
    :param limits: of the station.
    """

    def __init__(self, name: str, limits: Limits) -> None:
        self._name = name
        self._arm = limits.arms[name]
        self._motion = limits.motion
        self._wrench = limits.wrench
        self._gripper = limits.gripper
        self._credit = _CREDIT

    def check(
        self, request: ArmCommand, *, last: ArmCommand, state: ArmState, elapsed: float
    ) -> Filtered:
        """Return what may be forwarded of ``request``.

        :param last: the target that the driver has now.
        :param state: the newest measured state of the arm.
        :param elapsed: s since ``check`` was last called, by the clock that the robot moves by.
        :raises StationError: the command is a violation; nothing of it may be forwarded.
        """
        quaternion = self._finite(request)
        limited: list[str] = []
        position = self._workspace(request.position, last.position, limited)
        self._tilt(quaternion, last.quaternion)
        self._jump(request.position, quaternion, last)
        position, quaternion = self._step(position, quaternion, last, elapsed, limited)
        position, quaternion = self._lead(position, quaternion, state, limited)
        position, quaternion = self._force(position, quaternion, last, state, limited)
        width, effort = self._fingers(request, limited)
        if not (np.isfinite(position).all() and np.isfinite(quaternion).all()):
            raise self._violation(ErrorCode.GATE_COMMAND_NOT_FINITE, 'filtering gave no number')
        return Filtered(ArmCommand(position, quaternion, width, effort), tuple(limited))

    def clamp_fingers(self, width: float, effort: float) -> tuple[float, float]:
        """Return a width in m and an effort in N within the gripper's limits."""
        limits = self._gripper
        width = min(max(width, limits.minimum_width), limits.maximum_width)
        return width, min(max(effort, 0.0), limits.maximum_effort)

    def _violation(self, code: ErrorCode, cause: str) -> StationError:
        return StationError(code, f'{self._name} arm: {cause}')

    def _finite(self, request: ArmCommand) -> np.ndarray:
        """Return the request's orientation, normalized."""
        if not is_sane(request):
            raise self._violation(
                ErrorCode.GATE_COMMAND_NOT_FINITE,
                'the command holds NaN or infinity; repair the commander',
            )
        norm = length(request.quaternion)
        if abs(norm - 1.0) > 0.01:
            raise self._violation(
                ErrorCode.GATE_COMMAND_NOT_FINITE,
                f'the orientation is no unit quaternion (norm {norm:.3g}); repair the commander',
            )
        return np.asarray(request.quaternion, dtype=float) / norm

    def _workspace(self, position: np.ndarray, last: np.ndarray, limited: list[str]) -> np.ndarray:
        box, margin = self._arm, self._motion.workspace_margin
        excess, outside = box.excess(position), box.excess(last)
        if excess <= outside:
            return position
        if excess > outside + margin:
            corner = ', '.join(f'{value:.3f}' for value in position)
            raise self._violation(
                ErrorCode.GATE_OUTSIDE_WORKSPACE,
                f'the target ({corner}) m lies {1e3 * excess:.0f} mm outside the workspace',
            )
        limited.append('workspace')
        return last if outside > 0.0 else box.clamp(position)

    def _tilt(self, quaternion: np.ndarray, last: np.ndarray) -> None:
        angle = tilt(quaternion)
        if angle > self._arm.tilt and angle > tilt(last) + 0.02:
            raise self._violation(
                ErrorCode.GATE_OUTSIDE_WORKSPACE,
                f'the tool would tilt {angle:.2f} rad from straight down; the limit is '
                f'{self._arm.tilt:.2f} rad',
            )

    def _jump(self, position: np.ndarray, quaternion: np.ndarray, last: ArmCommand) -> None:
        distance = length(position - last.position)
        angle = rotation_angle(quaternion, last.quaternion)
        if distance > self._motion.refused_jump or angle > self._motion.refused_turn:
            raise self._violation(
                ErrorCode.GATE_STEP_TOO_LARGE,
                f'the command lies {1e3 * distance:.0f} mm and {angle:.2f} rad from the last '
                f'target; at most {1e3 * self._motion.refused_jump:.0f} mm and '
                f'{self._motion.refused_turn:.2f} rad are taken for a motion',
            )

    def _step(
        self,
        position: np.ndarray,
        quaternion: np.ndarray,
        last: ArmCommand,
        elapsed: float,
        limited: list[str],
    ) -> tuple[np.ndarray, np.ndarray]:
        """Shorten the step along its path, so that rotation and translation stay together."""
        limits = self._motion
        self._credit = min(_CREDIT, self._credit + max(0.0, elapsed))
        distance = length(position - last.position)
        angle = rotation_angle(quaternion, last.quaternion)
        by_step = max(distance / limits.step, angle / limits.step_angle)
        seconds = max(distance / limits.speed, angle / limits.angular_speed)
        fraction = min(1.0, 1.0 / max(by_step, _TINY), self._credit / max(seconds, _TINY))
        self._credit -= fraction * seconds
        if fraction > 1.0 - 1e-6:
            return position, quaternion
        limited.append('step' if by_step > 1.0 else 'speed')
        return (
            last.position + fraction * (position - last.position),
            slerp(last.quaternion, quaternion, fraction),
        )

    def _lead(
        self,
        position: np.ndarray,
        quaternion: np.ndarray,
        state: ArmState,
        limited: list[str],
    ) -> tuple[np.ndarray, np.ndarray]:
        ahead = position - state.position
        distance = length(ahead)
        angle = rotation_angle(quaternion, state.quaternion)
        if distance > self._motion.lead:
            limited.append('lead')
            position = state.position + ahead * (self._motion.lead / distance)
        if angle > self._motion.lead_angle:
            limited.append('lead')
            quaternion = slerp(state.quaternion, quaternion, self._motion.lead_angle / angle)
        return position, quaternion

    def _force(
        self,
        position: np.ndarray,
        quaternion: np.ndarray,
        last: ArmCommand,
        state: ArmState,
        limited: list[str],
    ) -> tuple[np.ndarray, np.ndarray]:
        """Take out of the step what would press harder; what relieves the contact passes."""
        force = length(state.force)
        if force > self._wrench.soft_force:
            away = state.force / force
            push = -float((position - last.position) @ away)
            if push > _TINY:
                limited.append('force')
                position = position + push * away
                # what is left of the step may lead out of the box, or farther ahead of the arm
                if self._arm.excess(position) > self._arm.excess(last.position) or (
                    length(position - state.position) > self._motion.lead
                ):
                    position = last.position
        torque = length(state.torque)
        if torque > self._wrench.soft_torque:
            turn = rotation_axis(last.quaternion, quaternion)
            if -float(turn @ state.torque) > _TINY:
                limited.append('torque')
                quaternion = last.quaternion
        return position, quaternion

    def _fingers(self, request: ArmCommand, limited: list[str]) -> tuple[float, float]:
        width, effort = self.clamp_fingers(request.gripper_width, request.gripper_effort)
        if width != request.gripper_width or effort != request.gripper_effort:
            limited.append('gripper')
        return width, effort


def is_sane(data: ArmCommand | ArmState) -> bool:
    """Say whether every number of a command or a state is finite and of a possible size."""
    numbers = [*data.position.tolist(), *data.quaternion.tolist()]
    numbers += [data.gripper_width, data.gripper_effort]
    if isinstance(data, ArmState):
        numbers += [*data.force.tolist(), *data.torque.tolist()]
    return all(abs(number) < _IMPOSSIBLE for number in numbers)  # false for NaN


def tilt(quaternion: np.ndarray) -> float:
    """Return the angle in rad between the tool's +z axis (xyzw orientation) and straight down."""
    x, y, z, w = (float(value) for value in quaternion)
    upward = (w * w + z * z - x * x - y * y) / (w * w + x * x + y * y + z * z)
    return math.acos(max(-1.0, min(1.0, -upward)))


def rotation_axis(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return a vector along the axis, in ``world``, that turns ``first`` into ``second``.

    Its length is the sine of the angle; both are orientations (xyzw).
    """
    turn = matrix_from_quaternion(second) @ matrix_from_quaternion(first).T
    return 0.5 * np.array(
        [turn[2, 1] - turn[1, 2], turn[0, 2] - turn[2, 0], turn[1, 0] - turn[0, 1]]
    )
