"""Drawn pictures, measured."""

import cv2
import numpy as np
import pytest

from enpire_nodes.tasks.pin_insertion.segmentation import find_outline, find_stick, Picture
from enpire_nodes.tasks.pin_insertion.settings import VisionSettings

ORANGE, TEAL, GREY = (255, 107, 10), (5, 107, 107), (120, 120, 122)
SETTINGS = VisionSettings()


def paper():
    return np.full((240, 320, 3), GREY, np.uint8)


def noisy(image, light=1.0):
    noise = np.random.default_rng(0).normal(0.0, 4.0, image.shape)
    return np.clip(image * light + noise, 0, 255).astype(np.uint8)


def draw_stick(image, first, last, width=11):
    first, last = np.array(first, float), np.array(last, float)
    along = (last - first) / np.linalg.norm(last - first)
    across = np.array([-along[1], along[0]]) * width / 2.0
    corners = [first + across, last + across, last - across, first - across]
    cv2.fillPoly(image, [np.round(corners).astype(np.int32)], ORANGE)
    return image


@pytest.mark.parametrize('light', [0.6, 1.0, 1.4])
@pytest.mark.parametrize(
    ('upper', 'lower'), [((160, 60), (160, 140)), ((200, 90), (140, 150)), ((90, 118), (170, 122))]
)
def test_measures_a_stick(upper, lower, light):
    stick = find_stick(Picture(noisy(draw_stick(paper(), upper, lower), light)), SETTINGS)
    assert stick.upper == pytest.approx(upper, abs=2.0)
    assert stick.lower == pytest.approx(lower, abs=2.0)
    expected = np.array(upper, float) - lower
    assert stick.direction @ (expected / np.linalg.norm(expected)) > np.cos(np.deg2rad(2.0))


def test_joins_what_a_finger_divides():
    image = draw_stick(paper(), (160, 60), (160, 140))
    image[85:100] = GREY
    stick = find_stick(Picture(noisy(image)), SETTINGS)
    assert stick.upper[1] == pytest.approx(60, abs=2.0)
    assert stick.lower[1] == pytest.approx(140, abs=2.0)


def test_leaves_out_what_lies_beside_the_stick():
    image = draw_stick(paper(), (160, 60), (160, 140))
    image[100:112, 250:262] = ORANGE
    stick = find_stick(Picture(noisy(image)), SETTINGS)
    assert stick.centre[0] == pytest.approx(160, abs=1.0)


def test_sees_no_stick_in_noise_alone():
    assert find_stick(Picture(noisy(paper())), SETTINGS) is None


def outline(image):
    return find_outline(
        Picture(image),
        SETTINGS.block_hue,
        saturation=SETTINGS.saturation,
        brightness=SETTINGS.brightness,
        pixels=SETTINGS.block_pixels,
    )


def test_a_pin_in_front_does_not_shrink_the_block():
    image = paper()
    image[100:150, 120:180] = TEAL
    whole = outline(noisy(image))
    hidden = outline(noisy(draw_stick(image, (150, 70), (150, 160))))
    assert whole.edges == pytest.approx([120, 180, 100, 150], abs=1.5)
    assert hidden.edges == pytest.approx(whole.edges, abs=1.5)


def test_something_of_the_same_colour_far_away_is_not_the_block():
    image = paper()
    image[100:150, 120:180] = TEAL
    image[20:40, 20:40] = TEAL
    assert outline(noisy(image)).edges == pytest.approx([120, 180, 100, 150], abs=1.5)


def test_a_small_blob_is_no_block():
    image = paper()
    image[100:112, 120:132] = TEAL
    assert outline(noisy(image)) is None
