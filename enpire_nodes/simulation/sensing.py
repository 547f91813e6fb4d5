"""What an arm reports of the truth about it."""

from __future__ import annotations

import numpy as np

from enpire_nodes.common.types import ArmState
from enpire_nodes.simulation.arm import ArmSensing
from enpire_nodes.simulation.noise import NoiseSettings


def reported(
    truth: ArmSensing,
    stamp: float,
    noise: NoiseSettings,
    *,
    drift: np.ndarray,
    bias: np.ndarray,
    rng: np.random.Generator,
) -> ArmState:
    """Return the state that a station publishes.

    :param stamp: s, when it is measured.
    :param drift: (3,) m, between the reported and the true tool position.
    :param bias: (6,) of the force sensor, in units of ``noise.wrench_bias_sd``.
    :param rng: of the white noise.
    """
    errors, bias = rng.standard_normal(9), bias * noise.wrench_bias_sd
    return ArmState(
        stamp=stamp,
        position=truth.position + drift + noise.pose_sd * errors[:3],
        quaternion=truth.quaternion,
        force=truth.force + bias[:3] + noise.force_sd * errors[3:6],
        torque=truth.torque + 0.1 * bias[3:] + noise.torque_sd * errors[6:],
        gripper_width=truth.gripper_width,
        gripper_effort=truth.gripper_effort,
    )
