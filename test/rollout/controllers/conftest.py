"""A block with a hole, as a handful of formulas: enough to see what a controller does."""

import numpy as np
import pytest

from enpire_nodes.rollout.controllers.interface import AttemptContext

RATE = 30.0
GRASP_HEIGHT = 0.050
CLEARANCE = 0.002  # m, radius of the hole less that of the pin
STIFFNESS = 500.0  # N/m, of the arm


class Block:
    """Pin in a compliant arm above a block; ``error`` is what the arm reports wrongly, (2,) m."""

    def __init__(self, error=(0.0, 0.0), start=(0.005, -0.004)):
        self.error = np.asarray(error)
        self.target = np.array([*start, GRASP_HEIGHT + 0.030])
        self.tcp = self.target.copy()
        self.force = np.zeros(3)
        self.peak = 0.0
        self.path = []

    def features(self):
        return {'tcp': self.tcp.copy(), 'target': self.target.copy(), 'force': self.force.copy()}

    def apply(self, action):
        if action.delta is not None:
            self.target = self.target + action.delta
        elif action.position is not None:
            self.target = np.asarray(action.position, dtype=float)
        true = self.target[:2] - self.error
        over_hole = np.hypot(*true) < CLEARANCE
        in_hole = self.tcp[2] < GRASP_HEIGHT - 0.003
        if in_hole:
            true = true * min(1.0, CLEARANCE / max(np.hypot(*true), 1e-9))
        floor = GRASP_HEIGHT - 0.04 if over_hole or in_hole else GRASP_HEIGHT
        height = max(self.target[2], floor)
        self.force = np.array([0.0, 0.0, STIFFNESS * (height - self.target[2])])
        self.tcp = np.array([*(true + self.error), height])
        self.peak = max(self.peak, self.force[2])
        self.path.append(self.tcp)

    @property
    def depth(self):
        return GRASP_HEIGHT - self.tcp[2]

    def run(self, controller, *, attempt=1, seconds=15.0):
        """Run an attempt; return the s it took, or ``None`` when it never said that it is done."""
        controller.reset(AttemptContext(attempt=attempt, control_rate=RATE))
        for step in range(int(seconds * RATE)):
            action = controller.step(self.features())
            if action.done:
                return step / RATE
            self.apply(action)
        return None


@pytest.fixture
def block():
    return Block
