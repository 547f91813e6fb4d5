"""Pins in space from drawn sticks: known answers, no rendering."""

import numpy as np
import pytest

from enpire_nodes.common.cameras import Camera
from enpire_nodes.tasks.pin_insertion.pin_pose import locate_pin
from enpire_nodes.tasks.pin_insertion.segmentation import Stick
from enpire_nodes.tasks.pin_insertion.settings import PinInsertionSettings

SETTINGS = PinInsertionSettings()
FLOOR = SETTINGS.tray.height
TARGET = [0.265, -0.345, -0.025]
CAMERAS = {
    name: Camera.looking_at(
        name, position=position, target=TARGET, vertical_fov=0.5, width=320, height=240
    )
    for name, position in (('side', [0.33, -0.905, 0.165]), ('front', [0.825, -0.315, 0.165]))
}


def stick(camera, ends):
    """Return the outline of a cylinder between two points: its end faces reach beyond them."""
    ends = np.array(ends, float)
    axis = (ends[0] - ends[1]) / np.linalg.norm(ends[0] - ends[1])
    other = np.cross(axis, [1.0, 0.3, 0.2])
    other /= np.linalg.norm(other)
    ring = np.linspace(0.0, 2.0 * np.pi, 90)
    round_it = np.cos(ring)[:, None] * other + np.sin(ring)[:, None] * np.cross(axis, other)
    pixels = camera.project(ends)
    along = (pixels[0] - pixels[1]) / np.linalg.norm(pixels[0] - pixels[1])
    if along[1] > 0.0:
        pixels, along, ends = pixels[::-1], -along, ends[::-1]
    faces = [camera.project(end + SETTINGS.pin.radius * round_it) for end in ends]
    upper = pixels[0] + along * ((faces[0] - pixels[0]) @ along).max()
    lower = pixels[1] + along * ((faces[1] - pixels[1]) @ along).min()
    return Stick((upper + lower) / 2.0, along, upper, lower)


def located(first, last, *, hidden=None):
    """Locate a pin; ``hidden`` maps a camera to the (from, to) share of it that it sees."""
    first, last = np.array(first, float), np.array(last, float)
    sticks = {}
    for name, camera in CAMERAS.items():
        low, high = (hidden or {}).get(name, (0.0, 1.0))
        if high > low:
            sticks[name] = stick(
                camera, [first + low * (last - first), first + high * (last - first)]
            )
    return locate_pin(CAMERAS, sticks, SETTINGS)


def assert_ends(pin, first, last, within):
    ends = sorted([np.array(first), np.array(last)], key=lambda end: tuple(end.round(4)))
    seen = sorted([pin.top, pin.bottom], key=lambda end: tuple(end.round(4)))
    direct = max(np.linalg.norm(a - b) for a, b in zip(ends, seen))
    swapped = max(np.linalg.norm(a - b) for a, b in zip(ends, seen[::-1]))
    assert min(direct, swapped) < within


def test_a_standing_pin():
    bottom = np.array([0.25, -0.36, FLOOR])
    pin = located(bottom, bottom + [0.0, 0.0, 0.070])
    assert pin.bottom == pytest.approx(bottom, abs=0.001)
    assert pin.tilt < 0.01
    assert pin.length == pytest.approx(0.070, abs=0.001)


@pytest.mark.parametrize('angle', np.deg2rad(np.arange(0, 180, 20)))
def test_a_lying_pin_of_any_direction(angle):
    half = 0.035 * np.array([np.cos(angle), np.sin(angle), 0.0])
    middle = np.array([0.26, -0.37, FLOOR + 0.006])
    pin = located(middle - half, middle + half)
    assert_ends(pin, middle - half, middle + half, 0.003)
    assert pin.tilt > 1.5


def test_a_pin_whose_foot_is_in_a_hole():
    rim = np.array([0.27, -0.305, FLOOR + 0.044])
    pin = located(rim, rim + [0.0, 0.0, 0.030])
    assert pin.length == pytest.approx(0.030, abs=0.002)
    assert pin.top == pytest.approx(rim + [0.0, 0.0, 0.030], abs=0.001)


def test_a_hanging_pin_whose_top_each_camera_loses_elsewhere():
    bottom = np.array([0.27, -0.305, 0.0])
    pin = located(bottom, bottom + [0, 0, 0.07], hidden={'side': (0, 0.75), 'front': (0, 0.5)})
    assert pin.bottom == pytest.approx(bottom, abs=0.001)
    assert pin.top[2] == pytest.approx(0.0525, abs=0.002)


def test_a_tilted_pin_in_the_hand():
    bottom = np.array([0.27, -0.305, 0.0])
    axis = np.array([0.15, -0.1, 1.0]) / np.linalg.norm([0.15, -0.1, 1.0])
    pin = located(bottom, bottom + 0.05 * axis)
    assert pin.axis == pytest.approx(axis, abs=0.02)


def test_a_lying_pin_that_something_hides_from_one_camera():
    middle, half = np.array([0.26, -0.37, FLOOR + 0.006]), np.array([0.030, 0.018, 0.0])
    pin = located(middle - half, middle + half, hidden={'front': (0.0, 0.6)})
    assert_ends(pin, middle - half, middle + half, 0.006)


def test_one_camera_is_enough_on_the_floor():
    middle, half = np.array([0.26, -0.37, FLOOR + 0.006]), np.array([0.030, 0.018, 0.0])
    pin = located(middle - half, middle + half, hidden={'front': (0.0, 0.0)})
    assert_ends(pin, middle - half, middle + half, 0.008)


def test_sticks_that_do_not_belong_together_are_no_pin():
    sticks = {
        'side': stick(CAMERAS['side'], [[0.2, -0.4, 0.0], [0.2, -0.4, 0.07]]),
        'front': stick(CAMERAS['front'], [[0.3, -0.3, -0.09], [0.3, -0.24, -0.09]]),
    }
    assert locate_pin(CAMERAS, sticks, SETTINGS) is None


def test_no_stick_is_no_pin():
    assert locate_pin(CAMERAS, {}, SETTINGS) is None
