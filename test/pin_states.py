"""Arm states of a settling that never was, for tests of the pin task's judge."""

from __future__ import annotations

import numpy as np

from enpire_nodes.common.types import ArmState

RIM = np.array([0.27, -0.305, -0.053])


def states(push=5.0, *, released=True, width=0.0113, bias=(0.0, 0.0), n=40, start=0.0):
    """Return states of an arm that feels ``push`` N to each of four sides, then lets go."""
    rng = np.random.default_rng(0)
    made = []
    shape = np.sin(np.linspace(0.0, np.pi, n))
    for index, side in enumerate(((1, 0), (-1, 0), (0, 1), (0, -1), (0, 0))):
        for share in shape:
            force = -push * share * np.array([*side, 0.0]) + rng.normal(0.0, 0.15, 3)
            force[:2] += bias
            open_now = released and index == 4
            made.append(
                ArmState(
                    start + len(made) / 100.0,
                    RIM + [0.0, 0.0, 0.02 + (0.07 if index == 4 else 0.0)],
                    np.array([1.0, 0.0, 0.0, 0.0]),
                    force,
                    np.zeros(3),
                    0.05 if open_now else width,
                    0.0 if open_now else 20.0,
                )
            )
    return made
