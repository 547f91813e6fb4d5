"""Colours, sticks and blocks in drawn pictures."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from enpire_nodes.tasks.pin_insertion.second_sight import (
    chroma_of,
    colour_of,
    find_foot,
    find_stick,
    likeness_to,
)

ORANGE, TEAL = (230, 110, 20), (10, 110, 110)
PIN, BLOCK = colour_of((8.0, 42.0)), colour_of((155.0, 200.0))


def picture(light: float = 1.0) -> np.ndarray:
    """Draw a block whose foot is at (160, 180), with a pin in it whose top is at (160, 90)."""
    image = np.full((240, 320, 3), 120, np.uint8)
    cv2.rectangle(image, (140, 140), (179, 179), TEAL, -1)
    cv2.rectangle(image, (156, 90), (163, 139), ORANGE, -1)
    noise = np.random.default_rng(0).normal(0.0, 4.0, image.shape)
    return np.clip(image * light + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize('light', [0.45, 1.0, 1.1])
def test_pin_and_block_are_found_in_any_light(light):
    chroma = chroma_of(picture(light))
    top, line = find_stick(likeness_to(chroma, PIN))
    assert top == pytest.approx([160.0, 90.0], abs=0.8)
    assert line == pytest.approx([0.0, -1.0], abs=0.02)
    assert find_foot(likeness_to(chroma, BLOCK), 40.0, 40.0) == pytest.approx([160, 180], abs=1.0)


def test_a_leaning_pin_leans():
    image = np.full((240, 320, 3), 120, np.uint8)
    cv2.line(image, (150, 150), (190, 80), ORANGE, 8)
    top, line = find_stick(likeness_to(chroma_of(image), PIN))
    assert top == pytest.approx([191.0, 79.0], abs=4.0)
    assert np.arctan2(line[0], -line[1]) == pytest.approx(np.arctan2(40, 70), abs=0.03)


def test_what_is_not_there_is_not_found():
    grey = likeness_to(chroma_of(np.full((240, 320, 3), 120, np.uint8)), PIN)
    assert find_stick(grey) == (None, None)
    assert find_foot(grey, 40.0, 40.0) is None


def test_a_block_that_is_half_hidden_has_no_foot():
    image = picture()
    image[:, 160:] = 40
    assert find_foot(likeness_to(chroma_of(image), BLOCK), 40.0, 40.0) is None


def test_colours_are_told_apart():
    image = np.zeros((2, 60, 3), np.uint8)
    image[:, :20], image[:, 20:40], image[:, 40:] = ORANGE, TEAL, (92, 56, 148)
    chroma = chroma_of(image)
    pin, block = likeness_to(chroma, PIN)[0], likeness_to(chroma, BLOCK)[0]
    assert pin[10] > 30 > 5 > max(pin[30], pin[50])
    assert block[30] > 15 > 5 > max(block[10], block[50])
