"""Figures and their goals."""

import math

import pytest

from enpire_nodes.benchmark.figures import Figure, missing


@pytest.mark.parametrize(
    ('value', 'goal', 'reached'),
    [
        (4.9, 5.0, True),
        (5.0, 5.0, True),
        (5.1, 5.0, False),
        (0.0, 0.0, True),
        (math.nan, 5.0, False),
        (math.inf, 5.0, False),
        (4.0, None, None),
        (None, 5.0, None),
    ],
)
def test_goal_is_reached_from_below_and_never_by_nothing(value, goal, reached):
    assert Figure('key', 'name', value, 'ms', goal).reached is reached


def test_missing_figure_keeps_goal_and_reason():
    figure = missing('jitter_p99', 'jitter', 'the station did not come up', unit='ms', goal=5.0)

    assert figure.value is None
    assert figure.goal == 5.0
    assert figure.plain()['missing'] == 'the station did not come up'
    assert figure.plain()['reached'] is None
