"""The simulated station without ROS: what it senses, what it is told, and nothing else.

The same seed and the same commands give the same observations to the bit.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, Protocol

import mujoco
import numpy as np

from enpire_nodes.common.geometry import matrix_from_quaternion
from enpire_nodes.common.types import ArmCommand, ArmState, Frame, Observation
from enpire_nodes.simulation.arm import Arm
from enpire_nodes.simulation.assets import light_meshes
from enpire_nodes.simulation.bench import ARMS, build_bench
from enpire_nodes.simulation.camera import CameraFault, CameraStream
from enpire_nodes.simulation.imperfection import disturb_cameras, disturb_lights, set_grip
from enpire_nodes.simulation.noise import Drift, NoiseSettings, stream
from enpire_nodes.simulation.rendering import photograph, Renderer, rendering_enabled
from enpire_nodes.simulation.sensing import reported
from enpire_nodes.simulation.settings import BenchSettings, CONTROL_RATE

_CHUNK = 5  # physics steps between two updates of the servos


class SceneTask(Protocol):
    """What a task gives the simulated station; nothing else of it is used."""

    def build_scene(self, spec: mujoco.MjSpec, rng: np.random.Generator, placement: str) -> None:
        """Add the task's bodies to the bench.

        :param spec: the bench, before it is compiled.
        :param rng: the only source of randomness, made of the station's seed.
        :param placement: the task's own name for how the objects lie at the start; '' for usual.
        """

    def truth(self, model: mujoco.MjModel, data: mujoco.MjData) -> dict:
        """Return the ground truth of the scene, for tests and audits only."""


class SimulatedStation:
    """Two arms, their cameras and a task's scene, advanced one control period at a time.

    :param task: gives the scene; None for an empty bench.
    :param station_settings: content of a file of ``config/stations``.
    :param seed: of every random draw.
    :param noise: errors of sensing and acting; those of the settings by default.
    :param placement: how the task's objects lie at the start.
    :param extra_cameras: names of optional cameras that shall exist too.
    :param camera_rate: frames a second of each camera; divides the physics rate.
    :param render: whether cameras exist at all; by default unless ``MUJOCO_GL=disable``.
    :raises SettingsError: if the settings cannot be used.
    :raises AssetsMissingError: if the robot's models are not installed.
    :raises RenderingError: if cameras are wanted and nothing can draw.
    """

    control_rate = float(CONTROL_RATE)

    def __init__(
        self,
        task: SceneTask | None,
        station_settings: Mapping[str, Any],
        *,
        seed: int,
        noise: NoiseSettings | None = None,
        placement: str = '',
        extra_cameras: tuple[str, ...] = (),
        camera_rate: float = 10.0,
        render: bool | None = None,
    ) -> None:
        self.settings = BenchSettings.from_mapping(station_settings, extra_cameras=extra_cameras)
        self.noise = noise if noise is not None else self.settings.noise
        self.seed, self._task, self._steps = seed, task, 0
        self.spec = build_bench(self.settings)
        if task is not None:
            task.build_scene(self.spec, stream(seed, 'scene'), placement)
        self.model = self.spec.compile()
        self.data = mujoco.MjData(self.model)
        disturb_cameras(self.model, self.noise, stream(seed, 'camera placement'))
        disturb_lights(self.model, self.noise, stream(seed, 'light'))
        self._arms = {
            side: Arm(
                self.model,
                self.data,
                side,
                home=np.array(self.settings.arms[side].home),
                gripper_width=self.settings.arms[side].gripper_width,
                wrench_filter=self.settings.wrench_filter,
            )
            for side in ARMS
        }
        mujoco.mj_forward(self.model, self.data)
        self._drifts = {side: Drift(stream(seed, f'{side}/drift')) for side in ARMS}
        self._sensors = {side: stream(seed, f'{side}/sensors') for side in ARMS}
        self._biases = {
            side: stream(seed, f'{side}/wrench bias').standard_normal(6) for side in ARMS
        }
        self._commands: deque[tuple[float, dict[str, ArmCommand]]] = deque()
        self._targets: dict[str, ArmCommand] = {}
        self._frame_steps = max(1, round(self.settings.physics_rate / camera_rate))
        wanted = rendering_enabled() if render is None else render
        sizes = {name: (c.width, c.height) for name, c in self.settings.cameras.items()}
        self.cameras = {
            name: CameraStream(name, seed, size) for name, size in sizes.items() if wanted
        }
        self._exposed: deque[tuple[str, float]] = deque()
        self._renderer = Renderer(self.model, sizes) if self.cameras else None
        self._expose()
        self._draw(None)
        self._observation = self._sense()

    @property
    def now(self) -> float:
        """Simulated time in s since the start."""
        return self._steps / self.settings.physics_rate

    def observe(self) -> Observation:
        """Return the newest sensing; asking twice gives the same answer."""
        return self._observation

    def command(self, command: Mapping[str, ArmCommand]) -> None:
        """Accept targets, in the reported frame, for the named arms; the others keep theirs.

        :raises ValueError: for an unknown arm or a value that is not finite; nothing is accepted.
        """
        for side, target in command.items():
            if side not in self._arms:
                raise ValueError(f'there is no arm {side!r}; this station has {list(self._arms)}')
            values = [*target.position, *target.quaternion]
            values += [target.gripper_width, target.gripper_effort]
            if not np.all(np.isfinite(values)) or np.linalg.norm(target.quaternion) < 1e-6:
                raise ValueError(
                    f'the command for the {side} arm is not finite or has no rotation'
                )
        self._commands.append((self.now + self.noise.command_latency, dict(command)))

    def step(self, command: Mapping[str, ArmCommand]) -> Observation:
        """Accept targets, advance one control period (1/30 s), and return what is sensed then."""
        self.command(command)
        return self.advance(self.settings.control_steps)

    def advance(self, steps: int, *, draw_all: bool = True) -> Observation:
        """Run physics for a number of steps, then sense.

        :param steps: physics steps.
        :param draw_all: draw every exposed frame now; else one, and the rest in later calls.
        """
        rate, control_steps = self.settings.physics_rate, self.settings.control_steps
        end = self._steps + steps
        while self._steps < end:
            if self._steps % control_steps == 0:
                self._begin_period()
            self._apply_commands()
            boundary = self._steps - self._steps % _CHUNK + _CHUNK
            count = min(boundary, end) - self._steps
            for arm in self._arms.values():
                arm.control(count / rate)
            mujoco.mj_step(self.model, self.data, count)
            self._steps += count
            for arm in self._arms.values():
                arm.feel(count / rate)
            if self._steps % self._frame_steps == 0:
                self._expose()
        self._draw(None if draw_all else 1)
        self._observation = self._sense()
        return self._observation

    def set_camera_fault(self, name: str, fault: CameraFault | str) -> None:
        """Break or repair a camera.

        :raises KeyError: if there is no such camera.
        """
        self.cameras[name].fault = CameraFault(fault)

    def set_slippery(self, share: float) -> None:
        """Take ``share`` (0 to 1) of the friction off every finger pad."""
        set_grip(self.model, 1.0 - share)

    def hold(self, side: str) -> None:
        """Forget an arm's target: it stays where it is measured to be, and keeps its grip."""
        for _, command in self._commands:
            command.pop(side, None)
        self._targets.pop(side, None)
        self._arms[side].stay()

    def joints(self) -> dict[str, tuple[float, float, float]]:
        """Return angle (rad), speed (rad/s) and torque (N m) of every joint of both arms."""
        return {
            f'{side}_joint{index + 1}': values
            for side, arm in self._arms.items()
            for index, values in enumerate(
                zip(
                    arm.joint_angles.tolist(),
                    arm.joint_speeds.tolist(),
                    arm.joint_torques.tolist(),
                    strict=True,
                )
            )
        }

    def truth(self) -> dict:
        """Return the ground truth; for tests, audits and the topic that is off by default."""
        arms = {side: arm.sense() for side, arm in self._arms.items()}
        return {
            'arms': {
                side: {
                    'position': arm.position,
                    'quaternion': arm.quaternion,
                    'force': arm.force,
                    'drift': self._drifts[side].value(self.noise.drift_sd),
                }
                for side, arm in arms.items()
            },
            'scene': {} if self._task is None else self._task.truth(self.model, self.data),
        }

    def photograph(self, *, width: int = 1280, height: int = 800) -> np.ndarray:
        """Take a picture of the whole station worth printing; takes a second or two.

        :return: (height, width, 3) uint8 RGB.
        :raises RenderingError: if nothing can draw here.
        """
        return photograph(
            self.spec,
            self.data,
            meshes=light_meshes(0.001),
            position=(1.10, -0.78, 0.52),
            target=(0.13, -0.25, 0.10),
            width=width,
            height=height,
        )

    def close(self) -> None:
        """Release the drawing context. May be repeated."""
        if self._renderer is not None:
            self._renderer.close()

    def __enter__(self) -> SimulatedStation:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _begin_period(self) -> None:
        for drift in self._drifts.values():
            drift.advance(1.0 / CONTROL_RATE, self.noise.drift_time)
        if self.noise.drift_sd > 0.0:  # what was asked for in the reported frame has moved
            for side in self._targets:
                self._move(side)

    def _apply_commands(self) -> None:
        while self._commands and self._commands[0][0] <= self.now + 1e-9:
            for side, target in self._commands.popleft()[1].items():
                self._targets[side] = target
                self._move(side)

    def _move(self, side: str) -> None:
        target, arm = self._targets[side], self._arms[side]
        quaternion = target.quaternion / np.linalg.norm(target.quaternion)
        drift = self._drifts[side].value(self.noise.drift_sd)
        arm.move_to(
            np.asarray(target.position) - drift,
            matrix_from_quaternion(quaternion),
            duration=1.0 / CONTROL_RATE,
        )
        arm.grip(target.gripper_width, target.gripper_effort)

    def _expose(self) -> None:
        for name, camera in self.cameras.items():
            if camera.wants_picture(self.noise):
                if any(waiting == name for waiting, _ in self._exposed):
                    self._draw(None)
                self._renderer.expose(self.data, name)
                self._exposed.append((name, self.now))
            elif camera.repeats():
                camera.take(None, self.now, self.noise)

    def _draw(self, most: int | None) -> None:
        count = len(self._exposed) if most is None else min(most, len(self._exposed))
        for _ in range(count):
            name, stamp = self._exposed.popleft()
            self.cameras[name].take(self._renderer.develop(name), stamp, self.noise)

    def _sense(self) -> Observation:
        frames: dict[str, Frame] = {}
        for name, camera in self.cameras.items():
            camera.deliver(self.now)
            if camera.newest is not None:
                frames[name] = camera.newest
        arms = {side: self._sense_arm(side) for side in self._arms}
        return Observation(self.now, arms, frames)

    def _sense_arm(self, side: str) -> ArmState:
        return reported(
            self._arms[side].sense(),
            self.now,
            self.noise,
            drift=self._drifts[side].value(self.noise.drift_sd),
            bias=self._biases[side],
            rng=self._sensors[side],
        )
