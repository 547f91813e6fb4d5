"""What a measured pin is doing: in the hole, in the cradle, standing, lying, in the hand."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from enpire_nodes.common.geometry import matrix_from_quaternion
from enpire_nodes.common.types import ArmState
from enpire_nodes.tasks.pin_insertion.pin_pose import PinEstimate
from enpire_nodes.tasks.pin_insertion.settings import PinInsertionSettings
from enpire_nodes.tasks.pin_insertion.vision import BlockEstimate

UPRIGHT = 0.45  # rad, a pin that is tilted less counts as upright
FLAT = 1.1  # rad, a pin that is tilted more counts as lying


class PinState(str, Enum):
    """Where a pin is and how it is oriented."""

    IN_HOLE = 'in the hole'
    IN_CRADLE = 'in the cradle'
    STANDING = 'standing'
    LEANING = 'leaning'
    LYING = 'lying'
    OUTSIDE = 'out of reach'
    MISSING = 'not to be seen'


@dataclass(frozen=True, slots=True, eq=False)
class Hold:
    """How a pin sits in the hand.

    :param tip: (3,) m, its lower end.
    :param slip: m, how far it sits higher in the hand than it should; negative is lower.
    :param aside: m, how far it sits beside the middle of the fingers.
    :param tilt: rad from upright.
    """

    tip: np.ndarray
    slip: float
    aside: float
    tilt: float


def squeezes(state: ArmState, settings: PinInsertionSettings) -> bool:
    """Tell from width and effort alone whether the fingers hold something as wide as the pin."""
    grasp = settings.grasp
    low, high = grasp.held_width
    return low <= state.gripper_width <= high and state.gripper_effort >= grasp.held_effort


def held(pin: PinEstimate | None, state: ArmState, settings: PinInsertionSettings) -> Hold | None:
    """Tell how the pin sits in the hand; None when it does not.

    :param state: of the hand when the picture was taken.
    """
    if pin is None or not squeezes(state, settings):
        return None
    near = pin.at_height(float(state.position[2])) if pin.tilt < FLAT else pin.bottom
    beside = float(np.hypot(*(near - state.position)[:2]))
    pads = matrix_from_quaternion(state.quaternion)[:, 0]  # along the pads' faces
    aside = abs(float((near - state.position)[:2] @ pads[:2]))
    below = float(state.position[2] - pin.bottom[2])
    if beside > 0.03 or not -0.01 <= below <= settings.pin.length + 0.01:
        return None
    return Hold(pin.bottom, settings.grasp.height - below, aside, pin.tilt)


def classify(
    pin: PinEstimate | None, block: BlockEstimate | None, settings: PinInsertionSettings
) -> PinState:
    """Tell what a pin that nobody holds is doing."""
    if pin is None:
        return PinState.MISSING
    tray, cradle = settings.tray, settings.cradle
    middle = (pin.top + pin.bottom) / 2.0
    room = np.asarray(tray.size) / 2.0 + tray.rim_thickness
    if (np.abs(middle[:2] - tray.centre) > room).any():
        return PinState.OUTSIDE
    if pin.tilt < UPRIGHT:
        if block is not None and _stands_in(pin, block.rim, 0.010):
            return PinState.IN_HOLE
        mouth = tray.height + cradle.floor + cradle.bore_depth + cradle.mouth_depth
        if _stands_in(pin, np.array([*cradle.centre, mouth]), cradle.mouth_radius):
            return PinState.IN_CRADLE
        low = pin.bottom[2] - tray.height
        hidden = settings.pin.length - pin.length  # something may hide its foot
        if low - max(hidden, 0.0) < 0.012:
            return PinState.STANDING
        return PinState.LEANING
    return PinState.LYING if pin.tilt > FLAT else PinState.LEANING


def _stands_in(pin: PinEstimate, mouth: np.ndarray, radius: float) -> bool:
    beside = float(np.hypot(*(pin.at_height(float(mouth[2])) - mouth)[:2]))
    return beside < radius and -0.025 < pin.bottom[2] - mouth[2] < 0.014 < pin.top[2] - mouth[2]
