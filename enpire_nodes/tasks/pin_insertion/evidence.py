"""What one picture, or the forces felt while settling, say about the pin in the hole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from enpire_nodes.common.cameras import Camera
from enpire_nodes.common.errors import ErrorCode
from enpire_nodes.common.types import ArmState
from enpire_nodes.tasks.api import Outcome, Vote
from enpire_nodes.tasks.pin_insertion.classify import squeezes
from enpire_nodes.tasks.pin_insertion.segmentation import Stick
from enpire_nodes.tasks.pin_insertion.settings import PinInsertionSettings

_UP = np.array([0.0, 0.0, 1.0])
_NEAR_RIM = (-0.010, 0.008)  # m above the rim: where an inserted pin goes out of sight


@dataclass(frozen=True, slots=True)
class Reading:
    """What one picture says: ``score`` 0 to 1, and the measurement in words."""

    verdict: Outcome
    score: float
    reason: str


def sight(
    stick: Stick | None, camera: Camera, rim: np.ndarray | None, settings: PinInsertionSettings
) -> Reading:
    """Judge one picture by itself: whether a pin stands in the hole, and deep enough.

    :param stick: the pin in it, None when there is none to be seen.
    :param rim: (3,) m, centre of the hole's edge; None when the block was not recognised.
    """
    verify = settings.verify
    if rim is None:
        return Reading(Outcome.UNCERTAIN, 0.0, 'the block is not recognised')
    if stick is None:
        return Reading(Outcome.FAILURE, 0.0, 'there is no pin in the picture')
    distance = float(np.linalg.norm(rim - camera.position))
    scale = float(camera.matrix[1, 1]) / distance  # px/m
    here, above = camera.project(np.stack([rim, rim + 0.03 * _UP]))
    upright = (above - here) / np.linalg.norm(above - here)
    foot = here - stick.centre
    aside = abs(float(foot[0] * stick.direction[1] - foot[1] * stick.direction[0])) / scale
    tilt = float(np.arccos(np.clip(stick.direction @ upright, -1.0, 1.0)))
    shorten = float(np.linalg.norm(above - here)) / 0.03 / scale  # of heights, by the elevation
    inset = settings.pin.radius * scale * float(np.sqrt(max(1.0 - shorten**2, 0.0)))
    top = (float((stick.upper - here) @ upright) - inset) / (shorten * scale)
    low = (float((stick.lower - here) @ upright) + inset) / (shorten * scale)
    depth = settings.pin.length - top
    reason = (
        f'depth {depth * 1e3:.1f} mm, {aside * 1e3:.1f} mm beside the hole, '
        f'tilted {np.rad2deg(tilt):.0f} deg, in sight from {low * 1e3:.1f} mm above the rim'
    )
    deepest = settings.block.hole_depth + 0.008
    margin = min(
        (depth - verify.depth) / verify.depth_margin / 2.0,
        (deepest - depth) / verify.depth_margin,
        (verify.lateral - aside) / verify.lateral,
        (verify.tilt - tilt) / verify.tilt,
        (low - _NEAR_RIM[0]) / 0.004,
        (_NEAR_RIM[1] - low) / 0.004,
    )
    score = float(np.clip(0.5 + 0.5 * margin, 0.0, 1.0))
    if score > 0.5 and depth < verify.depth + verify.depth_margin:
        return Reading(Outcome.UNCERTAIN, score, reason)
    return Reading(Outcome.SUCCESS if score > 0.5 else Outcome.FAILURE, score, reason)


def feel(
    states: Sequence[ArmState], now: float, settings: PinInsertionSettings
) -> tuple[Vote, ErrorCode]:
    """Judge the forces between the policy's end and the arm's rest.

    A pin in the hole resists being pushed to every side; afterwards the hand is empty.

    :param states: of the working arm, in order.
    :param now: s.
    """
    verify = settings.verify
    if len(states) < 20:
        reason = f'only {len(states)} states of the arm were measured while it settled'
        return _felt(Outcome.UNCERTAIN, 0.0, states, now, reason), ErrorCode.REWARD_FORCE_MISSING
    last = states[-1]
    if squeezes(last, settings):
        reason = f'the hand still holds something {last.gripper_width * 1e3:.1f} mm wide'
        return _felt(Outcome.FAILURE, 0.0, states, now, reason), ErrorCode.NONE
    forces = np.array([state.force for state in states])
    heights = np.array([state.position[2] for state in states])
    held = np.array([squeezes(state, settings) for state in states])
    rest = forces[-max(4, len(forces) // 20) :].mean(axis=0)
    pushed = forces[held & (heights < heights[0] + 0.012)]
    if len(pushed) < 10:
        reason = 'the hand was empty when the policy ended'
        return _felt(Outcome.FAILURE, 0.0, states, now, reason), ErrorCode.NONE
    smooth = np.stack(
        [
            np.convolve(pushed[:, axis] - rest[axis], np.ones(3) / 3, mode='valid')
            for axis in (0, 1)
        ],
        axis=1,
    )
    resisted = float(np.minimum(smooth.max(axis=0), -smooth.min(axis=0)).min())
    reason = f'resists by {resisted:.1f} N to the weakest side'
    score = float(np.clip(0.5 * resisted / verify.resistance, 0.0, 1.0))
    if last.gripper_width < verify.released_width:
        verdict = Outcome.UNCERTAIN
        reason += f', but the hand is closed to {last.gripper_width * 1e3:.0f} mm'
    elif resisted >= verify.resistance:
        verdict = Outcome.SUCCESS
    elif resisted <= verify.free:
        verdict = Outcome.FAILURE
    else:
        verdict = Outcome.UNCERTAIN
    code = ErrorCode.NONE if verdict is not Outcome.UNCERTAIN else ErrorCode.REWARD_DISAGREEMENT
    return _felt(verdict, score, states, now, reason), code


def _felt(
    verdict: Outcome, score: float, states: Sequence[ArmState], now: float, reason: str
) -> Vote:
    age = now - states[-1].stamp if states else float('inf')
    return Vote('force', verdict, score, len(states), age, reason)
