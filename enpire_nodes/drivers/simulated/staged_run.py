"""One staged scene in motion: the working arm is driven and sensed as on a station."""

from __future__ import annotations

from collections.abc import Mapping

import mujoco
import numpy as np

from enpire_nodes.common.geometry import matrix_from_quaternion, wxyz_from_xyzw
from enpire_nodes.common.types import ArmCommand, Observation, Program
from enpire_nodes.simulation.arm import Arm
from enpire_nodes.simulation.bench import ARMS
from enpire_nodes.simulation.kinematics import InverseKinematics
from enpire_nodes.simulation.noise import Drift
from enpire_nodes.simulation.sensing import reported
from enpire_nodes.simulation.settings import BenchSettings, CONTROL_RATE
from enpire_nodes.tasks.api import Pose, SettleReport
from enpire_nodes.tasks.staging import Staging

_SENSE, _SERVO = 6, 5  # physics steps between two states, and between two updates of the servos
_EFFORT = 20.0  # N
_LIMIT = 60.0  # s that winding up may take
_REACH = 0.008  # m, further than that a hand must not be from where it is staged


class UnfitError(Exception):
    """A scene that came out otherwise than its kind says."""


class StagedRun:
    """Sets a scene up, and runs it.

    :param settings: of the bench; how an arm senses is in them too.
    :param working: name of the arm that works.
    :param solvers: of each arm.
    """

    def __init__(
        self,
        model: mujoco.MjModel,
        data: mujoco.MjData,
        settings: BenchSettings,
        working: str,
        staging: Staging,
        rng: np.random.Generator,
        solvers: Mapping[str, InverseKinematics],
    ) -> None:
        self._model, self._data, self._rng, self._rate = model, data, rng, settings.physics_rate
        self._steps, self._period = 0, settings.control_steps
        self.working, self.states = working, []
        self._drift = Drift(rng)
        self._bias, self._noise = rng.standard_normal(6), settings.noise
        self._solvers = solvers
        self._place(staging)
        self._arm = self._arms(staging, settings)
        self._begin(staging)

    @property
    def now(self) -> float:
        """S since the scene was set up."""
        return self._steps / self._rate

    def play(self, program: Program[SettleReport]) -> SettleReport:
        """Run a program to its end.

        :raises UnfitError: it has none.
        """
        next(program)
        try:
            while self.now < _LIMIT:
                command = program.send(Observation(self.now, {self.working: self.states[-1]}))
                self._command(command[self.working])
                self.advance(self._period)
        except StopIteration as stop:
            return stop.value
        program.close()
        raise UnfitError

    def advance(self, steps: int) -> None:
        """Run physics; the arm keeps its target."""
        end = self._steps + steps
        while self._steps < end:
            ahead = min(_SERVO - self._steps % _SERVO, _SENSE - self._steps % _SENSE)
            count = min(ahead, end - self._steps)
            self._arm.control(count / self._rate)
            mujoco.mj_step(self._model, self._data, count)
            self._steps += count
            self._arm.feel(count / self._rate)
            if self._steps % _SENSE == 0:
                self._sense()

    def _place(self, staging: Staging) -> None:
        """Put the bodies where they are staged."""
        model, data = self._model, self._data
        for name, pose in staging.placed.items():
            body = model.body(name)
            mocap = int(body.mocapid[0])
            if mocap < 0:
                body.pos[:], body.quat[:] = pose.position, wxyz_from_xyzw(pose.quaternion)
            else:
                data.mocap_pos[mocap] = pose.position
                data.mocap_quat[mocap] = wxyz_from_xyzw(pose.quaternion)
        for name, colour in staging.colours.items():
            model.geom(name).rgba[:] = colour
        for name, pose in staging.free.items():
            place = int(model.jnt_qposadr[model.body(name).jntadr[0]])
            data.qpos[place : place + 3] = pose.position
            data.qpos[place + 3 : place + 7] = wxyz_from_xyzw(pose.quaternion)

    def _begin(self, staging: Staging) -> None:
        """Let what hangs free fall to where it rests."""
        mujoco.mj_forward(self._model, self._data)
        if staging.gripped:
            self._close(staging.gripped)
        self.advance(self._period * round(staging.wait * CONTROL_RATE))
        self.states.clear()
        self._sense()

    def _arms(self, staging: Staging, settings: BenchSettings) -> Arm:
        """Put both arms where they are staged, and return the one that works."""
        working = None
        for side in ARMS:
            pose = staging.hand if side == self.working else staging.other_hand
            home, width = np.array(settings.arms[side].home), settings.arms[side].gripper_width
            if side == self.working:
                width = staging.width
            if pose is not None:
                home = self._angles(side, pose, home)
            arm = Arm(
                self._model,
                self._data,
                side,
                home=home,
                gripper_width=width,
                wrench_filter=settings.wrench_filter,
            )
            if side == self.working:
                working = arm
        turn = matrix_from_quaternion(staging.hand.quaternion)
        target = staging.hand.position - np.array([0.0, 0.0, staging.press])
        working.move_to(target, turn, duration=1.0 / CONTROL_RATE)
        working.grip(0.0 if staging.gripped else staging.width, _EFFORT)
        return working

    def _angles(self, side: str, pose: Pose, near: np.ndarray) -> np.ndarray:
        solver = self._solvers[side]
        angles, away, _ = solver.solve(
            pose.position, matrix_from_quaternion(pose.quaternion), near, iterations=60
        )
        if away > _REACH:
            raise UnfitError
        return angles

    def _close(self, name: str) -> None:
        """Close the fingers on a body that is kept where it is until they hold it."""
        joint = int(self._model.body(name).jntadr[0])
        place, speed = int(self._model.jnt_qposadr[joint]), int(self._model.jnt_dofadr[joint])
        pose = self._data.qpos[place : place + 7].copy()
        for _ in range(60 // _SERVO):
            self.advance(_SERVO)
            self._data.qpos[place : place + 7] = pose
            self._data.qvel[speed : speed + 6] = 0.0

    def _command(self, command: ArmCommand) -> None:
        self._drift.advance(1.0 / CONTROL_RATE, self._noise.drift_time)
        self._arm.move_to(
            np.asarray(command.position) - self._drift.value(self._noise.drift_sd),
            matrix_from_quaternion(command.quaternion),
            duration=1.0 / CONTROL_RATE,
        )
        self._arm.grip(command.gripper_width, command.gripper_effort)

    def _sense(self) -> None:
        self.states.append(
            reported(
                self._arm.sense(),
                self.now,
                self._noise,
                drift=self._drift.value(self._noise.drift_sd),
                bias=self._bias,
                rng=self._rng,
            )
        )
