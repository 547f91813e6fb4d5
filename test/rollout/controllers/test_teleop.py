"""A person steers, alone or over another controller."""

import numpy as np
import pytest

from enpire_nodes.rollout.controllers import registry
from enpire_nodes.rollout.controllers.interface import AttemptContext


def step(controller, velocity=(0.0, 0.0, 0.0), *, done=0.0, tcp=(0.01, 0.0, 0.08)):
    features = {
        'tcp': np.array(tcp),
        'target': np.array(tcp),
        'force': np.zeros(3),
        'operator_velocity': np.array(velocity),
        'operator_done': np.array([done]),
    }
    return controller.step(features)


@pytest.fixture
def teleop():
    def make(**settings):
        controller = registry.make('teleop', settings)
        controller.reset(AttemptContext(control_rate=30.0))
        return controller

    return make


def test_it_moves_as_it_is_told_and_no_faster_than_set(teleop):
    controller = teleop(max_speed=0.03)
    np.testing.assert_allclose(step(controller, (0.0, 0.015, 0.0)).delta, [0.0, 0.0005, 0.0])
    fast = step(controller, (3.0, 0.0, -4.0)).delta
    np.testing.assert_allclose(fast, [0.0006, 0.0, -0.0008])


def test_nobody_steering_holds(teleop):
    action = step(teleop())
    assert (action.delta, action.position, action.done) == (None, None, False)


def test_the_person_ends_the_attempt(teleop):
    assert step(teleop(), (0.01, 0.0, 0.0), done=1.0).done


def test_a_base_works_until_the_person_takes_over(teleop):
    controller, alone = teleop(base='scripted'), registry.make('scripted')
    alone.reset(AttemptContext(control_rate=30.0))
    np.testing.assert_allclose(step(controller).delta, step(alone).delta)
    np.testing.assert_allclose(step(controller, (0.0, 0.0, 0.03)).delta, [0.0, 0.0, 0.001])
    assert step(controller).delta[0] < 0.0, 'and goes on afterwards'


def test_a_base_that_waits_for_itself_is_refused(teleop):
    with pytest.raises(ValueError, match='wait for itself'):
        teleop(base='teleop')


def test_its_digest_is_that_of_its_base_too():
    digests = {registry.digest('teleop', {'base': base}) for base in ('', 'scripted', 'hold')}
    assert len(digests) == 3
