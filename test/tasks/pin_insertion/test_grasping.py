"""Orientations of the hand; the motions themselves are tested by resets."""

import numpy as np
import pytest

from enpire_nodes.common.geometry import matrix_from_quaternion
from enpire_nodes.tasks.pin_insertion.grasping import HAND_DOWN, hand_orientation, heading_of


def test_the_hand_points_down_and_closes_along_x():
    rotation = matrix_from_quaternion(HAND_DOWN)
    assert rotation[:, 2] == pytest.approx([0.0, 0.0, -1.0])
    assert np.abs(rotation[:, 1]) == pytest.approx([1.0, 0.0, 0.0])


@pytest.mark.parametrize('heading', [-0.7, 0.0, 1.0, 2.3])
def test_pitched_up_it_points_ahead_with_the_camera_above_and_closes_level(heading):
    rotation = matrix_from_quaternion(hand_orientation(heading, np.pi / 2.0))
    assert rotation[:, 2] == pytest.approx([np.cos(heading), np.sin(heading), 0.0], abs=1e-9)
    assert -rotation[:, 0] == pytest.approx([0.0, 0.0, 1.0], abs=1e-9)
    assert rotation[2, 1] == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize('angle', np.linspace(-3.1, 3.1, 13))
def test_headings_stay_within_what_the_wrist_turns_to(angle):
    heading = heading_of(np.array([np.cos(angle), np.sin(angle)]))
    assert np.deg2rad(-45.0) < heading <= np.deg2rad(135.0)
    assert abs(np.sin(heading - angle)) == pytest.approx(0.0, abs=1e-9)
