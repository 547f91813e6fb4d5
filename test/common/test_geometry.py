"""Quaternion order, rotations and cameras, against each other and against scipy."""

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
from numpy.testing import assert_allclose
import pytest
from scipy.spatial.transform import Rotation

from enpire_nodes.common import geometry
from enpire_nodes.common.cameras import Camera, triangulate

angles = st.floats(-3.1, 3.1)
turns = st.tuples(angles, angles, angles).map(lambda v: Rotation.from_euler('xyz', v))


@given(turns)
def test_matrices_and_quaternions_agree_with_scipy(turn):
    assert_allclose(geometry.matrix_from_quaternion(turn.as_quat()), turn.as_matrix(), atol=1e-9)
    back = geometry.quaternion_from_matrix(turn.as_matrix())
    assert back[3] >= 0
    assert geometry.rotation_angle(back, turn.as_quat()) < 1e-6


@given(turns)
def test_reordering_is_its_own_inverse(turn):
    quaternion = turn.as_quat()
    wxyz = geometry.wxyz_from_xyzw(quaternion)
    assert wxyz[0] == quaternion[3]
    assert_allclose(geometry.xyzw_from_wxyz(wxyz), quaternion)


@given(turns, turns, st.floats(0, 1))
def test_slerp_divides_the_angle(first, second, fraction):
    whole = geometry.rotation_angle(first.as_quat(), second.as_quat())
    middle = geometry.slerp(first.as_quat(), second.as_quat(), fraction)
    assert np.linalg.norm(middle) == pytest.approx(1.0)
    part = geometry.rotation_angle(first.as_quat(), middle)
    assert part == pytest.approx(fraction * whole, abs=2e-3)


@pytest.mark.parametrize('target', [(0.3, 0.0, 0.0), (0.0, 0.2, -0.1), (0.0, 0.0, -1.0)])
def test_look_at_puts_the_target_on_the_optical_axis(target):
    rotation = geometry.look_at(np.zeros(3), np.array(target))
    assert_allclose(rotation.T @ rotation, np.eye(3), atol=1e-12)
    assert np.linalg.det(rotation) == pytest.approx(1.0)
    assert_allclose(rotation[:, 2], np.array(target) / np.linalg.norm(target), atol=1e-12)


def views():
    common = {'target': (0.27, -0.3, 0.0), 'vertical_fov': 0.4, 'width': 320, 'height': 240}
    return [
        Camera.looking_at('side', position=(0.28, -0.7, 0.15), **common),
        Camera.looking_at('front', position=(0.65, -0.3, 0.15), **common),
    ]


@given(st.tuples(*[st.floats(-0.04, 0.04)] * 3))
def test_two_views_give_a_point_back(offset):
    point = np.array([0.27, -0.3, 0.0]) + offset
    cameras = views()
    found, miss = triangulate(cameras, [camera.project(point)[0] for camera in cameras])
    assert_allclose(found, point, atol=1e-9)
    assert miss < 1e-9


def test_rays_that_do_not_meet_say_by_how_much():
    cameras = views()
    point = np.array([0.27, -0.3, 0.0])
    pixels = [cameras[0].project(point)[0], cameras[1].project(point + [0, 0, 0.02])[0]]
    assert triangulate(cameras, pixels)[1] > 0.005


def test_a_point_behind_the_camera_has_no_pixel():
    assert np.isnan(views()[0].project(np.array([0.28, -2.0, 0.2]))).all()


def test_world_up_is_image_up():
    camera = views()[0]
    low, high = camera.project(np.array([[0.27, -0.3, 0.0], [0.27, -0.3, 0.05]]))
    assert high[1] < low[1]
