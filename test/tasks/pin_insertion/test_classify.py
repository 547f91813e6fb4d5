"""What a measured pin is taken for."""

import numpy as np
import pytest

from enpire_nodes.common.types import ArmState
from enpire_nodes.tasks.pin_insertion.classify import classify, held, PinState, squeezes
from enpire_nodes.tasks.pin_insertion.grasping import HAND_DOWN
from enpire_nodes.tasks.pin_insertion.pin_pose import PinEstimate
from enpire_nodes.tasks.pin_insertion.settings import PinInsertionSettings
from enpire_nodes.tasks.pin_insertion.vision import BlockEstimate

SETTINGS = PinInsertionSettings()
FLOOR = SETTINGS.tray.height
RIM = np.array([0.27, -0.305, FLOOR + 0.044])
BLOCK = BlockEstimate(RIM, 0.3)
MOUTH = FLOOR + 0.048


def pin(bottom, axis=(0.0, 0.0, 1.0), length=0.070):
    axis = np.array(axis, float) / np.linalg.norm(axis)
    bottom = np.array(bottom, float)
    return PinEstimate(bottom + length * axis, bottom, axis, 0.001)


@pytest.mark.parametrize(
    ('estimate', 'state'),
    [
        (None, PinState.MISSING),
        (pin([0.27, -0.305, RIM[2]], length=0.030), PinState.IN_HOLE),
        (pin([0.273, -0.302, RIM[2] - 0.002], (0.1, 0, 1), length=0.055), PinState.IN_HOLE),
        (pin([0.205, -0.425, MOUTH], length=0.048), PinState.IN_CRADLE),
        (pin([0.25, -0.38, FLOOR]), PinState.STANDING),
        (pin([0.25, -0.38, FLOOR + 0.012], length=0.058), PinState.STANDING),
        (pin([0.25, -0.38, FLOOR + 0.006], (1, 0, 0)), PinState.LYING),
        (pin([0.30, -0.38, FLOOR + 0.006], (1, 0, 0.26)), PinState.LYING),
        (pin([0.25, -0.38, FLOOR + 0.006], (1, 0, 1)), PinState.LEANING),
        (pin([0.25, -0.38, FLOOR + 0.060]), PinState.LEANING),
        (pin([0.30, -0.190, FLOOR], (1, 0.2, 0)), PinState.OUTSIDE),
    ],
)
def test_states(estimate, state):
    assert classify(estimate, BLOCK, SETTINGS) is state


def test_without_a_block_there_is_no_hole():
    standing = pin([0.27, -0.305, RIM[2]], length=0.030)
    assert classify(standing, None, SETTINGS) is not PinState.IN_HOLE


def hand(position=(0.25, -0.4, 0.05), width=0.0113, effort=20.0):
    return ArmState(0.0, np.array(position), HAND_DOWN, np.zeros(3), np.zeros(3), width, effort)


def test_fingers_feel_the_pin_by_width_and_effort():
    assert squeezes(hand(), SETTINGS)
    assert not squeezes(hand(width=0.004), SETTINGS)
    assert not squeezes(hand(width=0.030), SETTINGS)
    assert not squeezes(hand(effort=1.0), SETTINGS)


def test_a_pin_held_as_it_should_be():
    hold = held(pin([0.25, -0.4, 0.0], length=0.048), hand(), SETTINGS)
    assert hold.slip == pytest.approx(0.0, abs=1e-6)
    assert hold.tilt == pytest.approx(0.0, abs=1e-6)


def test_a_pin_that_was_pushed_up_and_aside_and_tilted():
    hold = held(pin([0.25, -0.395, 0.012], (0.0, 0.2, 1.0), length=0.035), hand(), SETTINGS)
    assert hold.slip == pytest.approx(0.012, abs=1e-6)
    assert hold.aside == pytest.approx(0.0126, abs=1e-3)
    assert hold.tilt == pytest.approx(0.197, abs=0.01)


@pytest.mark.parametrize(
    ('estimate', 'state'),
    [
        (None, hand()),
        (pin([0.25, -0.4, 0.0]), hand(width=0.002)),
        (pin([0.205, -0.425, -0.05]), hand()),
        (pin([0.30, -0.4, 0.0]), hand()),
    ],
    ids=['unseen', 'empty', 'far below', 'beside'],
)
def test_a_pin_that_is_not_held(estimate, state):
    assert held(estimate, state, SETTINGS) is None
