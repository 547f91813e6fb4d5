"""From a pose of the hand to the angles of its arm, on scratch data that nobody else sees."""

from __future__ import annotations

import mujoco
import numpy as np

_TURN = 0.15  # m that one rad of orientation error weighs
_DAMPING = 1e-5
_STEP = 0.3  # rad, most that a joint moves in one iteration


class InverseKinematics:
    """Damped least squares for one six-jointed arm.

    :param model: the compiled bench.
    :param side: ``left`` or ``right``.
    """

    def __init__(self, model: mujoco.MjModel, side: str) -> None:
        self._model, self._data = model, mujoco.MjData(model)
        joints = [model.joint(f'{side}_joint{index + 1}') for index in range(6)]
        self._angles = np.array([joint.qposadr[0] for joint in joints])
        self._dofs = np.array([joint.dofadr[0] for joint in joints])
        limits = np.array([joint.range for joint in joints])
        self._lower, self._upper = limits[:, 0] + 1e-3, limits[:, 1] - 1e-3
        self._site = model.site(f'tcp_{side}').id
        self._jacobian = np.zeros((6, model.nv))
        self._weight = np.array([1.0, 1.0, 1.0, _TURN, _TURN, _TURN])

    def forward(self, angles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the hand's (3,) position and (3, 3) rotation in ``world`` at (6,) rad."""
        self._data.qpos[self._angles] = angles
        mujoco.mj_kinematics(self._model, self._data)
        return (
            self._data.site_xpos[self._site].copy(),
            self._data.site_xmat[self._site].reshape(3, 3).copy(),
        )

    def solve(
        self,
        position: np.ndarray,
        rotation: np.ndarray,
        start: np.ndarray,
        *,
        iterations: int = 12,
    ) -> tuple[np.ndarray, float, float]:
        """Find angles near ``start`` that bring the hand to a pose, or as near as limits allow.

        :param position: (3,) m, in ``world``.
        :param rotation: (3, 3), in ``world``.
        :param start: (6,) rad.
        :param iterations: most steps to take.
        :return: (6,) rad, and what is left of the error in m and in rad.
        """
        model, data, jacobian = self._model, self._data, self._jacobian
        angles = np.clip(start, self._lower, self._upper)
        for iteration in range(iterations + 1):
            data.qpos[self._angles] = angles
            mujoco.mj_kinematics(model, data)
            error, turn = self._error(position, rotation)
            away, turned = float(np.linalg.norm(error)), float(np.linalg.norm(turn))
            if iteration == iterations or (away < 2e-5 and turned < 2e-4):
                break
            mujoco.mj_comPos(model, data)
            mujoco.mj_jacSite(model, data, jacobian[:3], jacobian[3:], self._site)
            local = jacobian[:, self._dofs] * self._weight[:, None]
            residual = np.concatenate([error, turn]) * self._weight
            step = local.T @ np.linalg.solve(local @ local.T + _DAMPING * np.eye(6), residual)
            largest = float(np.abs(step).max())
            angles = np.clip(
                angles + step * min(1.0, _STEP / max(largest, 1e-9)), self._lower, self._upper
            )
        return angles, away, turned

    def _error(self, position: np.ndarray, rotation: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        quaternion, turn = np.zeros(4), np.zeros(3)
        difference = rotation @ self._data.site_xmat[self._site].reshape(3, 3).T
        mujoco.mju_mat2Quat(quaternion, difference.flatten())
        mujoco.mju_quat2Vel(turn, quaternion, 1.0)
        return position - self._data.site_xpos[self._site], turn
