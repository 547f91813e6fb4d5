"""Faults of the bench itself: displaced cameras, other light, slippery finger pads."""

from __future__ import annotations

import mujoco
import numpy as np

from enpire_nodes.simulation.bench import PAD_FRICTION
from enpire_nodes.simulation.noise import NoiseSettings


def disturb_cameras(model: mujoco.MjModel, noise: NoiseSettings, rng: np.random.Generator) -> None:
    """Move and turn every camera a little, as calibration never is exact."""
    for index in range(model.ncam):
        shift, turn = rng.standard_normal(3), rng.standard_normal(3)
        model.cam_pos[index] += noise.camera_position_sd * shift
        quaternion = model.cam_quat[index].copy()
        mujoco.mju_quatIntegrate(quaternion, turn, noise.camera_angle_sd)
        model.cam_quat[index] = quaternion


def disturb_lights(model: mujoco.MjModel, noise: NoiseSettings, rng: np.random.Generator) -> None:
    """Make every light a little brighter or darker."""
    factors = 1.0 + noise.light_variation * rng.uniform(-1.0, 1.0, model.nlight + 1)
    for index in range(model.nlight):
        model.light_diffuse[index] *= factors[index]
    model.vis.headlight.diffuse[:] *= factors[-1]
    model.vis.headlight.ambient[:] *= factors[-1]


def set_grip(model: mujoco.MjModel, share: float) -> None:
    """Give every finger pad ``share`` (0 to 1) of its usual friction."""
    if not 0.0 <= share <= 1.0:
        raise ValueError(f'the share of friction is {share}; it must lie within [0, 1]')
    for index in range(model.ngeom):
        if model.geom(index).name.endswith('_pad'):
            model.geom_friction[index] = np.maximum(np.array(PAD_FRICTION) * share, 1e-5)
