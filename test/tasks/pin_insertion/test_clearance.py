"""Where fingers fit, and the way out of corners."""

import numpy as np
import pytest

from enpire_nodes.tasks.pin_insertion.clearance import Clearance
from enpire_nodes.tasks.pin_insertion.settings import PinInsertionSettings

SETTINGS = PinInsertionSettings()
BLOCK = np.array([0.27, -0.305])
CLEAR = Clearance(SETTINGS, BLOCK)
FREE = np.array([0.30, -0.41])


def test_fingers_fit_in_the_open():
    assert CLEAR.fits(FREE, 0.0, 0.03)
    assert CLEAR.fits(FREE, np.pi / 2.0, 0.03)


@pytest.mark.parametrize(
    ('spot', 'heading'),
    [
        ([0.25, -0.475], 0.0),  # along the rim
        ([0.345, -0.38], np.pi / 2.0),
        ([0.27, -0.350], 0.0),  # beside the block
        ([0.205, -0.385], 0.0),  # beside the cradle
    ],
)
def test_fingers_do_not_fit_next_to_things(spot, heading):
    assert not CLEAR.fits(np.array(spot), heading, 0.03)


def test_across_the_rim_they_fit_where_along_it_they_do_not():
    spot = np.array([0.30, -0.460])
    assert CLEAR.fits(spot, np.pi / 2.0, 0.03)
    assert not CLEAR.fits(spot, 0.0, 0.03)


@pytest.mark.parametrize(
    ('middle', 'angle'),
    [
        ([0.26, -0.474], 0.0),
        ([0.27, -0.440], 1.6),
        ([0.30, -0.355], 0.0),
        ([0.30, -0.355], 0.8),
        ([0.30, -0.355], 1.6),
        ([0.345, -0.40], 1.6),
        ([0.20, -0.26], 0.8),
    ],
)
def test_the_way_out_leads_to_where_they_fit(middle, angle):
    axis = np.array([np.cos(angle), np.sin(angle)])
    shift = CLEAR.way_out(np.array(middle), axis, 0.03)
    assert CLEAR.fits(np.array(middle) + shift + 0.015 * axis, angle, 0.03)


def test_the_block_is_where_it_is_seen():
    moved = Clearance(SETTINGS, FREE)
    assert not moved.fits(FREE + [0.0, 0.045], 0.0, 0.03)
    assert Clearance(SETTINGS, None).fits(FREE, 0.0, 0.03)


def test_pressing_keeps_the_knuckles_off_the_block():
    middle, axis = np.array([0.283, -0.372]), np.array([0.27, 0.96])
    spot, heading = CLEAR.press_place(middle, axis, np.array([0.019, -0.005]))
    assert CLEAR.fits(spot, heading, 0.0)
