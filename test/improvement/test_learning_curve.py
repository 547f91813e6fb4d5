"""The arithmetic of the learning curve, and that something is drawn."""

import cv2
import numpy as np
import pytest

from enpire_nodes.common.bounds import lower_bound, upper_bound
from enpire_nodes.improvement.learning_curve import draw_learning_curve, Point, windows


def trials(*successes):
    return [Point(float(minute), bool(success)) for minute, success in enumerate(successes)]


def test_a_window_is_a_rate_with_its_bounds():
    (window,) = windows(trials(1, 1, 0, 1), 4)
    assert window == (1.5, 0.75, lower_bound(3, 4), upper_bound(3, 4), 4)
    assert window.lower < window.rate < window.upper


@pytest.mark.parametrize(
    ('count', 'sizes'),
    [(0, []), (1, [1]), (3, [3]), (4, [4]), (5, [4]), (6, [4, 2]), (8, [4, 4]), (11, [4, 4, 3])],
)
def test_what_is_left_is_a_window_if_it_is_half_as_long(count, sizes):
    assert [window.trials for window in windows(trials(*[1] * count), 4)] == sizes


def test_windows_of_one_trial():
    assert [window.rate for window in windows(trials(1, 0, 1), 1)] == [1.0, 0.0, 1.0]


def test_no_trial_is_in_two_windows():
    found = windows(trials(*[0] * 10, *[1] * 10), 10)
    assert [(window.rate, window.minutes) for window in found] == [(0.0, 4.5), (1.0, 14.5)]


def test_a_curve_is_drawn(tmp_path):
    empty, full = tmp_path / 'empty.png', tmp_path / 'full.png'
    draw_learning_curve(empty, {'nothing': []}, size=5)
    draw_learning_curve(
        full, {'a': trials(*[0, 1] * 20), 'b': trials(*[1] * 40)}, size=5, title='of two'
    )
    pictures = [cv2.imread(str(path)).astype(int) for path in (empty, full)]
    colours = [len(np.unique(picture.reshape(-1, 3), axis=0)) for picture in pictures]
    saturated = [int((np.ptp(picture, axis=2) > 60).sum()) for picture in pictures]
    assert colours[1] > colours[0]
    assert saturated[0] == 0, 'without trials there are no lines'
    assert saturated[1] > 1000
