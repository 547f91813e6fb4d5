"""Frames and signs of foreign controllers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest

from enpire_nodes.common.geometry import matrix_from_quaternion, rotation_angle
from enpire_nodes.drivers.adapter.frames import ArmFrames

HALF = np.sqrt(0.5)
DOWN = np.array([1.0, 0.0, 0.0, 0.0])

number = st.floats(-1.0, 1.0)
vectors = st.tuples(number, number, number).map(np.array)
turns = (
    st.tuples(number, number, number, number)
    .map(np.array)
    .filter(lambda q: np.linalg.norm(q) > 0.1)
    .map(lambda q: q / np.linalg.norm(q))
)
frames = st.builds(
    ArmFrames,
    base_position=vectors,
    base_quaternion=turns,
    tool_position=vectors,
    tool_quaternion=turns,
    wrench_in_tool=st.booleans(),
    wrench_sign=st.sampled_from([1.0, -1.0]),
    wrench_point=vectors,
)


@given(frames, vectors, turns)
def test_a_target_comes_back_as_the_pose_that_was_asked_for(arm, position, quaternion):
    reached = arm.pose_in_world(*arm.pose_for_controller(position, quaternion))
    np.testing.assert_allclose(reached[0], position, atol=1e-9)
    assert rotation_angle(reached[1], quaternion) < 1e-6


@given(frames, vectors, vectors, turns)
def test_wrenches_keep_their_size(arm, force, torque, quaternion):
    turned, _ = arm.wrench_in_world(force, torque, quaternion)
    np.testing.assert_allclose(np.linalg.norm(turned), np.linalg.norm(force), atol=1e-9)


def test_a_base_that_stands_turned_beside_the_origin():
    arm = ArmFrames(
        base_position=np.array([0.0, -0.6, 0.1]), base_quaternion=np.array([0, 0, HALF, HALF])
    )
    position, _ = arm.pose_in_world(np.array([0.3, 0.0, 0.0]), DOWN)
    np.testing.assert_allclose(position, [0.0, -0.3, 0.1], atol=1e-12)


def test_a_tool_that_is_longer_than_the_controller_knows():
    arm = ArmFrames(tool_position=np.array([0.0, 0.0, 0.1]))
    position, _ = arm.pose_in_world(np.array([0.3, 0.0, 0.5]), DOWN)
    np.testing.assert_allclose(position, [0.3, 0.0, 0.4], atol=1e-12)


def test_pressing_down_reads_positive_z_from_a_sensor_in_the_hand():
    # The hand looks down; the table pushes it up, which is -z of the tool. This sensor reports
    # what the tool does to the table: +z of the tool.
    arm = ArmFrames(wrench_in_tool=True, wrench_sign=-1.0)
    force, _ = arm.wrench_in_world(np.array([0.0, 0.0, 5.0]), np.zeros(3), DOWN)
    np.testing.assert_allclose(force, [0.0, 0.0, 5.0], atol=1e-12)


def test_torque_moves_from_the_sensor_to_the_tool_point():
    # The tip is pushed along x, 12 cm below the sensor. About the tip there is no torque.
    arm = ArmFrames(wrench_in_tool=True, tool_position=np.array([0.0, 0.0, 0.12]))
    tool = matrix_from_quaternion(DOWN)
    push = tool.T @ np.array([3.0, 0.0, 0.0])
    about_sensor = np.cross([0.0, 0.0, 0.12], push)
    force, torque = arm.wrench_in_world(push, about_sensor, DOWN)
    np.testing.assert_allclose(force, [3.0, 0.0, 0.0], atol=1e-12)
    np.testing.assert_allclose(torque, 0.0, atol=1e-12)


@pytest.mark.parametrize(
    ('bad', 'name'),
    [
        ({'base_quaternion': np.zeros(4)}, 'base_quaternion'),
        ({'tool_quaternion': np.ones(4)}, 'tool_quaternion'),
        ({'wrench_sign': 0.0}, 'wrench_sign'),
    ],
)
def test_impossible_frames_are_refused_by_name(bad, name):
    with pytest.raises(ValueError, match=name):
        ArmFrames(**bad)
