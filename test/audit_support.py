"""Evidence that is told apart at a glance."""

from __future__ import annotations

import numpy as np

from enpire_nodes.common.types import ArmState, Frame
from enpire_nodes.environment.evidence import Evidence

COLOURS = {'side': (250, 10, 10), 'front': (10, 10, 250)}


def evidence(pictures: int = 5) -> Evidence:
    frames = {
        name: tuple(
            Frame(2.0 + 0.1 * index, np.full((60, 80, 3), colour, np.uint8))
            for index in range(pictures)
        )
        for name, colour in COLOURS.items()
    }
    states = tuple(
        ArmState(
            1.0 + 0.01 * index, np.zeros(3), np.array([0, 0, 0, 1.0]),
            np.array([np.sin(index), 0.0, 2.0]), np.zeros(3), 0.05, 1.0,
        )
        for index in range(100)
    )  # fmt: skip
    return Evidence(frames, states, 1.0, 2.0, 2.6, 'trial_1 attempt 1')
