"""What a controller says in its own frames, said in the station's; and the way back."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from transforms3d import quaternions

from enpire_nodes.common.geometry import (
    matrix_from_quaternion,
    wxyz_from_xyzw,
    xyzw_from_wxyz,
)


def _multiply(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    product = quaternions.qmult(wxyz_from_xyzw(first), wxyz_from_xyzw(second))
    return xyzw_from_wxyz(product)


def _inverse(quaternion: np.ndarray) -> np.ndarray:
    return np.asarray(quaternion, dtype=float) * [-1.0, -1.0, -1.0, 1.0]


@dataclass(frozen=True, slots=True, eq=False)
class ArmFrames:
    """Where the controller's frames lie.

    :param base_position: (3,) m, origin of the controller's base frame in ``world``.
    :param base_quaternion: (4,) xyzw, its orientation in ``world``.
    :param tool_position: (3,) m, the station's tool centre point in the controller's tool frame.
    :param tool_quaternion: (4,) xyzw, the station's tool frame (+z leaves the hand) in it.
    :param wrench_in_tool: the wrench is expressed in the controller's tool frame; else its base.
    :param wrench_sign: 1 if it is what the environment does to the tool, -1 if it is the opposite.
    :param wrench_point: (3,) m, the point that torques are about, in the controller's tool frame.
    """

    base_position: np.ndarray = field(default_factory=lambda: np.zeros(3))
    base_quaternion: np.ndarray = field(default_factory=lambda: np.array([0.0, 0.0, 0.0, 1.0]))
    tool_position: np.ndarray = field(default_factory=lambda: np.zeros(3))
    tool_quaternion: np.ndarray = field(default_factory=lambda: np.array([0.0, 0.0, 0.0, 1.0]))
    wrench_in_tool: bool = False
    wrench_sign: float = 1.0
    wrench_point: np.ndarray = field(default_factory=lambda: np.zeros(3))

    def __post_init__(self) -> None:
        for name in ('base_quaternion', 'tool_quaternion'):
            if abs(float(np.linalg.norm(getattr(self, name))) - 1.0) > 1e-3:
                raise ValueError(f'{name} is not a unit quaternion (x, y, z, w)')
        if self.wrench_sign not in (1.0, -1.0):
            raise ValueError(f'wrench_sign is {self.wrench_sign}; it must be 1 or -1')

    def pose_in_world(
        self, position: np.ndarray, quaternion: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Turn the controller's tool pose in its base into the station's in ``world``."""
        position = position + matrix_from_quaternion(quaternion) @ self.tool_position
        quaternion = _multiply(quaternion, self.tool_quaternion)
        turn = matrix_from_quaternion(self.base_quaternion)
        return self.base_position + turn @ position, _multiply(self.base_quaternion, quaternion)

    def pose_for_controller(
        self, position: np.ndarray, quaternion: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Undo :meth:`pose_in_world`: a target in ``world`` as the controller understands it."""
        back = _inverse(self.base_quaternion)
        position = matrix_from_quaternion(back) @ (position - self.base_position)
        quaternion = _multiply(_multiply(back, quaternion), _inverse(self.tool_quaternion))
        return position - matrix_from_quaternion(quaternion) @ self.tool_position, quaternion

    def wrench_in_world(
        self, force: np.ndarray, torque: np.ndarray, quaternion: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the wrench by the environment on the tool, along ``world``, about the TCP.

        :param force: (3,) N, as the controller says.
        :param torque: (3,) N m, as the controller says.
        :param quaternion: (4,) xyzw, the controller's tool in its base, at that time.
        """
        base = matrix_from_quaternion(self.base_quaternion)
        tool = base @ matrix_from_quaternion(quaternion)
        turn = tool if self.wrench_in_tool else base
        force = self.wrench_sign * (turn @ force)
        torque = self.wrench_sign * (turn @ torque)
        lever = tool @ (self.wrench_point - self.tool_position)
        return force, torque + np.cross(lever, force)
