"""The pin task's bodies, added to a bench: a tray, a block with a hole, a cradle, a pin.

This is the only file of the task, with :func:`truth`, that knows of the simulator.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TYPE_CHECKING

import numpy as np

from enpire_nodes.tasks.pin_insertion.settings import PinInsertionSettings

if TYPE_CHECKING:
    import mujoco

PLACEMENTS = ('cradle', 'hole', 'standing', 'lying', 'rim', 'out_of_reach', 'missing')

_GREY, _LIGHT = (0.62, 0.62, 0.64, 1.0), (0.72, 0.72, 0.74, 1.0)
_TEAL, _TEAL_TOP = (0.02, 0.42, 0.42, 1.0), (0.05, 0.55, 0.55, 1.0)
_ORANGE, _VIOLET = (1.0, 0.42, 0.04, 1.0), (0.36, 0.22, 0.58, 1.0)
_SIDES = 16


def build(
    spec: mujoco.MjSpec,
    settings: PinInsertionSettings,
    rng: np.random.Generator,
    placement: str = '',
) -> None:
    """Add the task's bodies below ``spec.worldbody``.

    :param spec: a bench that is not compiled yet.
    :param rng: draws where the block stands and where the pin lies.
    :param placement: one of :data:`PLACEMENTS`; empty stands the pin in the cradle.
    :raises ValueError: an unknown placement.
    """
    placement = placement or 'cradle'
    if placement not in PLACEMENTS:
        raise ValueError(f'unknown placement {placement!r}; known: {", ".join(PLACEMENTS)}')
    _add_tray(spec, settings)
    block = settings.block
    centre = np.asarray(block.centre) + rng.uniform(-block.spread, block.spread, 2)
    _add_block(spec, settings, centre)
    _add_cradle(spec, settings)
    position, quaternion = _pin_pose(settings, rng, centre, placement)
    _add_pin(spec, settings, position, quaternion)


def truth(model: mujoco.MjModel, data: mujoco.MjData, settings: PinInsertionSettings) -> dict:
    """Return what is really so; for tests and audits alone."""
    pin = model.body('pin').id
    hole = data.xpos[model.body('block').id] + [0.0, 0.0, settings.block.height]
    axis = data.xmat[pin].reshape(3, 3)[:, 2]
    axis = axis if axis[2] >= 0.0 else -axis
    tip = data.xpos[pin] - axis * settings.pin.length / 2.0
    depth = float(hole[2] - tip[2])
    upright = float(axis[2]) > 0.9
    aligned = float(np.hypot(*(tip - hole)[:2])) < settings.block.hole_radius + 0.004
    inserted = upright and aligned and depth >= settings.verify.depth
    return {
        'success': bool(inserted),
        'depth': depth if aligned else 0.0,
        'pin_position': data.xpos[pin].copy(),
        'pin_axis': axis.copy(),
        'pin_tip': tip.copy(),
        'pin_upright': bool(upright),
        'hole_position': hole.copy(),
    }


def _box(
    body: Any, name: str, centre: Sequence, half_size: Sequence, colour: tuple, **other: Any
) -> None:
    import mujoco

    body.add_geom(
        name=name,
        type=mujoco.mjtGeom.mjGEOM_BOX,
        pos=list(map(float, centre)),
        size=list(map(float, half_size)),
        rgba=colour,
        **other,
    )


def _add_tray(spec: mujoco.MjSpec, settings: PinInsertionSettings) -> None:
    tray = settings.tray
    body = spec.worldbody.add_body(name='tray', pos=[*tray.centre, tray.height])
    half_x, half_y = tray.size[0] / 2.0, tray.size[1] / 2.0
    thick, high = tray.rim_thickness / 2.0, tray.rim_height / 2.0
    rough = {'friction': [0.7, 0.01, 0.002], 'condim': 6}
    _box(body, 'tray_floor', (0, 0, -0.0015), (half_x, half_y, 0.0015), _LIGHT, **rough)
    for name, centre, half_size in (
        ('far', (half_x + thick, 0, high), (thick, half_y + 2 * thick, high)),
        ('near', (-half_x - thick, 0, high), (thick, half_y + 2 * thick, high)),
        ('left', (0, half_y + thick, high), (half_x, thick, high)),
        ('right', (0, -half_y - thick, high), (half_x, thick, high)),
    ):
        _box(body, f'tray_{name}', centre, half_size, _GREY, **rough)


def _ring(
    body: Any,
    name: str,
    *,
    inner: float,
    outer: float,
    low: float,
    high: float,
    colour: tuple,
    **other: Any,
) -> None:
    """Add an upright tube of boxes around a bore."""
    middle, half = (inner + outer) / 2.0, (outer - inner) / 2.0
    width = outer * np.tan(np.pi / _SIDES) * 1.02
    for index in range(_SIDES):
        angle = 2.0 * np.pi * index / _SIDES
        _box(
            body,
            f'{name}{index}',
            (middle * np.cos(angle), middle * np.sin(angle), (low + high) / 2.0),
            (half, width, (high - low) / 2.0),
            colour,
            quat=[np.cos(angle / 2.0), 0.0, 0.0, np.sin(angle / 2.0)],
            **other,
        )


def _add_block(spec: mujoco.MjSpec, settings: PinInsertionSettings, centre: np.ndarray) -> None:
    import mujoco

    block = settings.block
    body = spec.worldbody.add_body(name='block', pos=[*centre, settings.tray.height])
    smooth = {'friction': [0.3, 0.005, 0.0001]}
    bottom = block.height - block.hole_depth
    _ring(
        body,
        'block',
        inner=block.hole_radius,
        outer=block.radius,
        low=bottom,
        high=block.height,
        colour=_TEAL,
        **smooth,
    )
    body.add_geom(
        name='block_floor',
        type=mujoco.mjtGeom.mjGEOM_CYLINDER,
        pos=[0, 0, bottom / 2.0],
        size=[block.radius * 0.99, max(bottom, 1e-3) / 2.0, 0],
        rgba=_TEAL,
        **smooth,
    )


def _add_cradle(spec: mujoco.MjSpec, settings: PinInsertionSettings) -> None:
    cradle = settings.cradle
    body = spec.worldbody.add_body(name='cradle', pos=[*cradle.centre, settings.tray.height])
    rim = cradle.floor + cradle.bore_depth
    # slippery whatever touches it: a pin slides down the funnel and stands up in the bore
    smooth = {'friction': [0.1, 0.002, 0.0001], 'condim': 3, 'priority': 1}
    outer = cradle.bore_radius + 0.005
    _box(body, 'cradle_foot', (0, 0, cradle.floor / 2), (outer, outer, cradle.floor / 2), _VIOLET)
    _ring(
        body,
        'cradle_bore',
        inner=cradle.bore_radius,
        outer=outer,
        low=cradle.floor,
        high=rim,
        colour=_VIOLET,
        **smooth,
    )
    # the funnel: plates that lean outward, their upper faces from the bore's edge to the mouth
    run, rise, half_thick = cradle.mouth_radius - cradle.bore_radius, cradle.mouth_depth, 0.0012
    slope = float(np.arctan2(rise, run))
    for index in range(_SIDES):
        angle = 2.0 * np.pi * index / _SIDES
        outward = np.array([np.cos(angle), np.sin(angle), 0.0])
        along = outward * np.cos(slope) + np.array([0.0, 0.0, np.sin(slope)])
        across = np.array([-np.sin(angle), np.cos(angle), 0.0])
        normal = np.cross(along, across)
        middle = outward * (cradle.bore_radius + run / 2) + [0, 0, rim + rise / 2]
        half_size = (
            np.hypot(run, rise) / 2,
            cradle.mouth_radius * np.tan(np.pi / _SIDES),
            half_thick,
        )
        _box(
            body,
            f'cradle_mouth{index}',
            middle - normal * half_thick,
            half_size,
            _VIOLET,
            quat=_quaternion(np.stack([along, across, normal], axis=1)),
            **smooth,
        )


def _add_pin(
    spec: mujoco.MjSpec,
    settings: PinInsertionSettings,
    position: Sequence,
    quaternion: np.ndarray,
) -> None:
    import mujoco

    pin = settings.pin
    body = spec.worldbody.add_body(name='pin', pos=position, quat=quaternion)
    body.add_freejoint(name='pin')
    body.add_geom(
        name='pin',
        type=mujoco.mjtGeom.mjGEOM_CYLINDER,
        size=[pin.radius, pin.length / 2, 0],
        mass=pin.mass,
        rgba=_ORANGE,
        friction=[0.6, 0.01, 0.001],
        condim=6,
    )


def _quaternion(rotation: np.ndarray) -> np.ndarray:
    import mujoco

    quaternion = np.zeros(4)
    mujoco.mju_mat2Quat(quaternion, np.ascontiguousarray(rotation).flatten())
    return quaternion


def _upright_on(axis: np.ndarray) -> np.ndarray:
    """Return a wxyz quaternion that turns +z to ``axis``."""
    axis = axis / np.linalg.norm(axis)
    other = np.array([1.0, 0.0, 0.0]) if abs(axis[0]) < 0.9 else np.array([0.0, 1.0, 0.0])
    first = np.cross(other, axis)
    first /= np.linalg.norm(first)
    return _quaternion(np.stack([first, np.cross(axis, first), axis], axis=1))


def free_spot(
    settings: PinInsertionSettings, rng: np.random.Generator, block: np.ndarray, margin: float
) -> np.ndarray:
    """Draw a place on the tray's floor that is clear of block, cradle and rim."""
    tray = settings.tray
    room = np.asarray(tray.size) / 2.0 - margin
    for _ in range(1000):
        spot = np.asarray(tray.centre) + rng.uniform(-room, room)
        clear_block = np.linalg.norm(spot - block) > settings.block.radius + margin
        clear_cradle = (
            np.linalg.norm(spot - settings.cradle.centre) > settings.cradle.mouth_radius + margin
        )
        if clear_block and clear_cradle:
            return spot
    raise ValueError('the tray has no free place for the pin; enlarge tray.size')


def _pin_pose(
    settings: PinInsertionSettings,
    rng: np.random.Generator,
    block: np.ndarray,
    placement: str,
) -> tuple[list, np.ndarray]:
    """Return where a pin starts, and its quaternion (wxyz)."""
    half, radius, floor = settings.pin.length / 2.0, settings.pin.radius, settings.tray.height
    upright = np.array([1.0, 0.0, 0.0, 0.0])
    if placement == 'cradle':
        return [*settings.cradle.centre, floor + settings.cradle.floor + half], upright
    if placement == 'hole':
        bottom = settings.block.height - settings.block.hole_depth
        return [*block, floor + bottom + half], upright
    if placement == 'standing':
        return [*free_spot(settings, rng, block, 0.026), floor + half], upright
    if placement == 'lying':
        angle = rng.uniform(0.0, 2.0 * np.pi)
        axis = np.array([np.cos(angle), np.sin(angle), 0.0])
        return [*free_spot(settings, rng, block, 0.042), floor + radius], _upright_on(axis)
    if placement == 'rim':  # one end on the floor, leaning on the tray's far rim
        tray = settings.tray
        edge = tray.centre[0] + tray.size[0] / 2.0
        slope = np.arcsin(tray.rim_height / (0.75 * settings.pin.length))
        axis = np.array([np.cos(slope), 0.0, np.sin(slope)])
        foot = np.array([edge - 0.052, tray.centre[1] - 0.02, floor + radius])
        return list(foot + axis * half), _upright_on(axis)
    if placement == 'out_of_reach':  # beyond the tray, where the cameras still see it
        tray = settings.tray
        return [
            tray.centre[0] + 0.05,
            tray.centre[1] + tray.size[1] / 2 + 0.025,
            floor + radius,
        ], _upright_on(np.array([1.0, 0.2, 0.0]))
    return [-0.6, 0.9, floor + radius - 0.5], upright
