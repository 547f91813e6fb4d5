"""What a person wants, as features."""

import numpy as np
import pytest

from enpire_nodes.rollout.policy.operator import FRESH, OperatorInput

PERIOD = 0.1


@pytest.fixture
def operator(clock):
    return OperatorInput(PERIOD, clock=clock)


def velocity(operator):
    return operator.features()['operator_velocity'].tolist()


def test_nobody_wants_anything_at_first(operator):
    features = operator.features()
    assert features['operator_velocity'].tolist() == [0.0, 0.0, 0.0]
    assert features['operator_done'].tolist() == [0.0]


def test_a_wish_counts_until_it_is_no_longer_repeated(operator, clock):
    operator.steer([0.01, 0.0, -0.02])
    assert velocity(operator) == [0.01, 0.0, -0.02]
    clock.now += FRESH + 0.01
    assert velocity(operator) == [0.0, 0.0, 0.0]


@pytest.mark.parametrize('wrong', [[np.nan, 0.0, 0.0], [np.inf, 0.0, 0.0]])
def test_what_is_not_finite_stops(operator, wrong):
    operator.steer([0.01, 0.0, 0.0])
    operator.steer(wrong)
    assert velocity(operator) == [0.0, 0.0, 0.0]


def test_only_steering_is_human_time(operator, clock):
    for wish in ([0.01, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.01, 0.0]):
        operator.steer(wish)
        operator.features()
    assert operator.seconds == pytest.approx(2 * PERIOD)


def test_an_attempt_begins_without_what_was_said_before(operator):
    operator.steer([0.01, 0.0, 0.0])
    operator.finish()
    operator.features()
    operator.begin()
    assert operator.seconds == 0.0
    assert velocity(operator) == [0.0, 0.0, 0.0]
    assert operator.features()['operator_done'].tolist() == [0.0]
    operator.finish()
    assert operator.features()['operator_done'].tolist() == [1.0]
