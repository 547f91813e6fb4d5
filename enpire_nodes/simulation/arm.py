"""One arm of the bench: it tracks a pose of its hand, squeezes with a limited force, and feels."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np

from enpire_nodes.common.geometry import xyzw_from_wxyz
from enpire_nodes.simulation.bench import JOINTS
from enpire_nodes.simulation.kinematics import InverseKinematics

_JOINT_SPEED = 3.0  # rad/s, fastest that a joint is sent anywhere
_WIDTH_SPEED = 0.25  # m/s, fastest that the gripper is sent anywhere
_WIDTH_LIMIT = 0.0939  # m
_EFFORT_LIMIT = 60.0  # N


@dataclass(frozen=True, slots=True, eq=False)
class ArmSensing:
    """The truth about one arm: what perfect sensors would read.

    Fields as in :class:`~enpire_nodes.common.types.ArmState`.
    """

    position: np.ndarray
    quaternion: np.ndarray
    force: np.ndarray
    torque: np.ndarray
    gripper_width: float
    gripper_effort: float


class Arm:
    """Drives the joints of one arm through position servos, as the real arm's motors are.

    The servos are springs (about 1.5 N/mm at the hand): an arm that is pushed gives way.

    :param model: the compiled bench; the gripper's force limit in it is changed at run time.
    :param data: its state.
    :param side: ``left`` or ``right``.
    :param home: (6,) rad, where the arm starts.
    :param gripper_width: m, where the gripper starts.
    :param wrench_filter: s, time constant of the force sensor.
    """

    def __init__(
        self,
        model: mujoco.MjModel,
        data: mujoco.MjData,
        side: str,
        *,
        home: np.ndarray,
        gripper_width: float,
        wrench_filter: float,
    ) -> None:
        self._model, self._data, self._filter = model, data, wrench_filter
        self.kinematics = InverseKinematics(model, side)
        names = [f'{side}_joint{index + 1}' for index in range(JOINTS)]
        self._angles = np.array([model.joint(name).qposadr[0] for name in names])
        self._speeds = np.array([model.joint(name).dofadr[0] for name in names])
        self._motors = np.array([model.actuator(name).id for name in names])
        self._fingers = np.array([model.joint(f'{side}_joint{i}').qposadr[0] for i in (7, 8)])
        self._drive = model.actuator(f'{side}_gripper').id
        self._site = model.site(f'tcp_{side}').id
        self._sensor_site = model.site(f'{side}_wrench').id
        self._hand = model.body(f'{side}_gripper').id
        self._force = model.sensor(f'{side}_force').adr[0]
        self._torque = model.sensor(f'{side}_torque').adr[0]
        self._weight = -model.body_subtreemass[self._hand] * model.opt.gravity
        gains = model.actuator_gainprm[self._motors, 0]
        self._lead = -model.actuator_biasprm[self._motors, 2] / gains  # s, servo's velocity lag
        self._start = self._goal = np.asarray(home, dtype=float)
        self._elapsed = self._duration = 0.0
        self._width_goal = self._width = gripper_width
        self._wrench: np.ndarray | None = None
        data.qpos[self._angles] = home
        data.qpos[self._fingers] = gripper_width / 2.0
        data.ctrl[self._motors] = home
        data.ctrl[self._drive] = gripper_width

    @property
    def joint_angles(self) -> np.ndarray:
        """The (6,) measured angles in rad."""
        return self._data.qpos[self._angles].copy()

    @property
    def joint_speeds(self) -> np.ndarray:
        """The (6,) measured speeds in rad/s."""
        return self._data.qvel[self._speeds].copy()

    @property
    def joint_torques(self) -> np.ndarray:
        """The (6,) torques of the motors in N m."""
        return self._data.actuator_force[self._motors].copy()

    def move_to(
        self, position: np.ndarray, rotation: np.ndarray, *, duration: float
    ) -> tuple[float, float]:
        """Send the hand to a pose over ``duration`` seconds, joints moving evenly.

        :param position: (3,) m, true position in ``world``.
        :param rotation: (3, 3), in ``world``.
        :return: how far the target lies out of reach, in m and in rad.
        """
        goal, away, turned = self.kinematics.solve(position, rotation, self._goal)
        self._start, self._elapsed = self._reference(), 0.0
        self._goal = goal
        self._duration = max(duration, float(np.abs(goal - self._start).max()) / _JOINT_SPEED)
        return away, turned

    def stay(self) -> None:
        """Stop where the joints are measured to be."""
        self._start = self._goal = self.joint_angles
        self._elapsed = self._duration = 0.0

    def grip(self, width: float, effort: float) -> None:
        """Send the fingers to a width in m, squeezing with at most ``effort`` N."""
        self._width_goal = float(np.clip(width, 0.0, _WIDTH_LIMIT))
        limit = float(np.clip(effort, 0.0, _EFFORT_LIMIT))
        self._model.actuator_forcerange[self._drive] = [-limit, limit]

    def control(self, seconds: float) -> None:
        """Set the servos for the next ``seconds`` of physics."""
        self._elapsed += seconds
        reference = self._reference()
        speed = np.zeros(JOINTS)
        if self._elapsed < self._duration:
            speed = (self._goal - self._start) / self._duration
        self._data.ctrl[self._motors] = reference + self._lead * speed
        step = _WIDTH_SPEED * seconds
        self._width += float(np.clip(self._width_goal - self._width, -step, step))
        self._data.ctrl[self._drive] = self._width

    def feel(self, seconds: float) -> None:
        """Take the force sensor's reading in; ``seconds`` since the last one."""
        reading = self._wrench_now()
        if self._wrench is None:
            self._wrench = reading
        share = 1.0 - float(np.exp(-seconds / self._filter)) if self._filter > 0.0 else 1.0
        self._wrench = self._wrench + share * (reading - self._wrench)

    def sense(self) -> ArmSensing:
        """Return the truth about this arm now."""
        if self._wrench is None:
            self.feel(0.0)
        return ArmSensing(
            self._data.site_xpos[self._site].copy(),
            self._quaternion(),
            self._wrench[:3].copy(),
            self._wrench[3:].copy(),
            float(self._data.qpos[self._fingers].sum()),
            float(-self._data.actuator_force[self._drive]),
        )

    def _quaternion(self) -> np.ndarray:
        result = np.zeros(4)
        mujoco.mju_mat2Quat(result, self._data.site_xmat[self._site])
        quaternion = xyzw_from_wxyz(result)
        return quaternion if quaternion[3] >= 0.0 else -quaternion

    def _reference(self) -> np.ndarray:
        if self._elapsed >= self._duration:
            return self._goal
        return self._start + (self._goal - self._start) * (self._elapsed / self._duration)

    def _wrench_now(self) -> np.ndarray:
        """Return the (6,) wrench by the environment on the hand, about the TCP, in ``world``.

        MuJoCo's sensor reads what the wrist does to the hand. The hand rests, so the environment
        does the opposite, less the weight of the hand itself, as a real sensor is compensated.
        """
        data = self._data
        turn = data.site_xmat[self._sensor_site].reshape(3, 3)
        tcp = data.site_xpos[self._site]
        wrist = data.site_xpos[self._sensor_site]
        wrist_force = turn @ data.sensordata[self._force : self._force + 3]
        wrist_torque = turn @ data.sensordata[self._torque : self._torque + 3]
        force = -wrist_force + self._weight
        torque = (
            -wrist_torque
            - _cross(wrist - tcp, wrist_force)
            + _cross(data.subtree_com[self._hand] - tcp, self._weight)
        )
        return np.concatenate([force, torque])


def _cross(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the cross product; numpy's own takes 30 µs for its generality."""
    (a, b, c), (x, y, z) = first.tolist(), second.tolist()
    return np.array([b * z - c * y, c * x - a * z, a * y - b * x])
