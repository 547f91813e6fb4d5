"""What is measured of a motion, and what is not."""

from motion_support import rows, without
import numpy as np
import pytest

from enpire_nodes.evolution.accounts.motion import Motion

DOWN = [(0.0, 0.0, 0.03), (0.003, 0.004, 0.0), (0.003, 0.004, 0.0)]
PRESS = [(0, 0, 0), (0, 0, 0), (0, 0, 20)]


def test_the_touch_is_the_first_force_that_lasts():
    motion = Motion.of(rows(DOWN, PRESS))
    assert motion.press[motion.touch] >= 3.0 > motion.press[motion.touch - 1]
    assert motion.aside(motion.touch) == pytest.approx(0.005)
    spike = rows(DOWN, [(0, 0, 0)] * 2)
    spike[10][1]['force'][:] = (0, 0, 30)
    assert Motion.of(spike).touch is None


def test_the_depth_is_that_of_the_held_tip_even_where_no_camera_sees_it():
    motion = Motion.of(rows([(0, 0, 0.03), (0, 0, -0.03)], PRESS))
    assert motion.depth[-1] == pytest.approx(0.03)
    assert motion.tip[-1, 2] == pytest.approx(-0.001)
    assert motion.slipped == 0.0


def test_a_tip_that_stays_outside_while_the_tool_goes_down_has_slipped():
    motion = Motion.of(rows([(0.006, 0, 0.03), (0.006, 0, -0.012)], PRESS))
    assert motion.slipped == pytest.approx(0.011)


def test_a_tip_that_was_never_valid_is_not_used():
    motion = Motion.of(rows(DOWN, PRESS, tip_valid=lambda time: np.array([0.0])))
    assert not motion.sighted
    assert motion.depth[-1] == pytest.approx(0.03)


def test_missing_features_are_unknown():
    motion = Motion.of(without(rows(DOWN, PRESS), 'tip', 'force', 'gripper', 'target', 'tcp'))
    assert motion.touch is None
    assert np.isnan(motion.width).all()
    assert np.isnan(motion.depth).all()
