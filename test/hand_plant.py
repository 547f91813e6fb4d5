"""A hand without physics: it follows its commands late and low, and its fingers meet an object."""

from __future__ import annotations

import numpy as np

from enpire_nodes.common.types import ArmState, Frame, Observation

PERIOD = 1.0 / 30.0


class Plant:
    """Answers commands for one arm, period by period.

    :param droop: (3,) m, steady error of the arm.
    :param object_width: m, of what is between the fingers; None for nothing.
    :param floor: m, height at which the hand meets something that pushes back by 1 N/mm.
    """

    def __init__(self, *, droop=(0.0, 0.0, 0.0), object_width=None, floor=-1.0, cameras=()):
        self.droop, self.object_width, self.floor = np.array(droop), object_width, floor
        self.position = np.array([0.25, -0.4, 0.1])
        self.quaternion = np.array([1.0, 0.0, 0.0, 0.0])
        self.width, self.effort, self.stamp, self.ticks = 0.05, 0.0, 0.0, 0
        self.force = np.zeros(3)
        self.cameras = dict.fromkeys(cameras, 'live')
        self.rng = np.random.default_rng(0)
        self.frames: dict[str, Frame] = {}
        self.commands = []

    def observe(self) -> Observation:
        if self.ticks % 3 == 0:
            for name, mode in self.cameras.items():
                self._expose(name, mode)
        state = ArmState(
            self.stamp,
            self.position.copy(),
            self.quaternion.copy(),
            self.force.copy(),
            np.zeros(3),
            self.width,
            self.effort,
        )
        return Observation(self.stamp, {'right': state}, dict(self.frames))

    def step(self, command) -> Observation:
        target = command['right']
        self.commands.append(target)
        self.position = self.position + 0.6 * (target.position + self.droop - self.position)
        pressed = max(0.0, self.floor - self.position[2])
        self.position[2] += pressed
        self.force = np.array([0.0, 0.0, 1000.0 * max(0.0, self.floor - target.position[2])])
        self.quaternion = np.asarray(target.quaternion)
        least = self.object_width or 0.0
        change = np.clip(target.gripper_width - self.width, -0.01, 0.01)
        self.width = max(least, self.width + change)
        squeezing = self.object_width is not None and target.gripper_width < least
        self.effort = target.gripper_effort if squeezing and self.width <= least else 0.0
        self.stamp, self.ticks = self.stamp + PERIOD, self.ticks + 1
        return self.observe()

    def run(self, program, *, limit: float = 60.0):
        """Drive a program to its end and return its result."""
        assert next(program) is None
        observation = self.observe()
        try:
            while self.stamp < limit:
                observation = self.step(program.send(observation))
        except StopIteration as end:
            return end.value
        raise AssertionError(f'the program did not end within {limit} s')

    def _expose(self, name: str, mode: str) -> None:
        if mode == 'missing':
            self.frames.pop(name, None)
        elif mode == 'frozen' and name in self.frames:
            self.frames[name] = Frame(self.stamp, self.frames[name].image.copy())
        elif mode != 'stopped' or name not in self.frames:
            image = self.rng.integers(0, 255, (8, 8, 3), dtype=np.uint8)
            self.frames[name] = Frame(self.stamp, image)
