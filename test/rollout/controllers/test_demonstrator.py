"""The stand-in for a person: it shows the task, as a person would, and never wildly."""

import numpy as np
import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.controllers import registry
from enpire_nodes.rollout.controllers.interface import AttemptContext

SPEED = 0.035  # m/s, the default
RATE = 30.0


def told(block):
    """Return what the observer says of the block: the tip is where the tool is, less the pin."""
    tip = np.array([*(block.tcp[:2] - block.error), block.tcp[2] - 0.050])
    return {**block.features(), 'tip': tip, 'tip_valid': np.ones(1), 'torque': np.zeros(3)}


def attempt(block, controller, *, seed=0, seconds=20.0, change=lambda features: features):
    """Run an attempt; return its actions, and whether it said that it was done."""
    controller.reset(AttemptContext(seed=seed, control_rate=RATE))
    deltas = []
    for _ in range(int(seconds * RATE)):
        action = controller.step(change(told(block)))
        if action.done:
            return np.array(deltas), True
        deltas.append(action.delta)
        block.apply(action)
    return np.array(deltas), False


@pytest.fixture
def person():
    return registry.make('demonstrator')


def test_it_inserts_from_all_around(block, person):
    done = [
        attempt(world := block(start=start), person, seed=seed)[1] and world.depth > 0.02
        for seed, start in enumerate(
            [(0.005, -0.004), (-0.008, 0.0), (0.0, 0.009), (0.0, 0.0), (-0.006, -0.006)] * 4
        )
    ]
    assert sum(done) >= 16, 'it fails now and then'


def test_a_seed_is_a_hand(block, person):
    (first, _), (same, _), (other, _) = (attempt(block(), person, seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, same)
    assert len(first) != len(other) or not np.array_equal(first, other)


def test_nothing_is_left_of_the_attempt_before(block, person):
    attempt(block(), person, seed=9)
    again, _ = attempt(block(), person, seed=3)
    fresh, _ = attempt(block(), registry.make('demonstrator'), seed=3)
    np.testing.assert_array_equal(again, fresh)


def test_the_hand_is_finite_and_never_fast(block, person):
    for seed in range(5):
        deltas, _ = attempt(block(), person, seed=seed)
        assert deltas.shape[1:] == (3,)
        assert np.isfinite(deltas).all()
        tremor = 0.006 * 5  # five standard deviations
        assert np.linalg.norm(deltas, axis=1).max() * RATE < 1.3 * SPEED + np.sqrt(3) * tremor


def test_it_is_late_by_its_reaction_time(block):
    calm = {'tremor': 0.0, 'pauses': 0.0, 'misjudged': 0.0}
    late = registry.make('demonstrator', {**calm, 'reaction': 0.2})
    late.reset(AttemptContext(control_rate=RATE))
    world = block()
    here, there = told(world), told(world)
    there['tip'] = here['tip'] * (-1.0, -1.0, 1.0)
    signs = [np.sign(late.step(here).delta[0])]
    signs += [np.sign(late.step(there).delta[0]) for _ in range(10)]
    assert signs == [-1.0] * 7 + [1.0] * 4


def test_it_goes_nowhere_sideways_without_seeing_the_pin(block):
    calm = {'tremor': 0.0, 'pauses': 0.0, 'misjudged': 0.0}
    person = registry.make('demonstrator', calm)

    def blind(features):
        return {**features, 'tip_valid': np.zeros(1), 'force': np.zeros(3)}

    deltas, done = attempt(block(), person, seconds=2.0, change=blind)
    assert not done
    np.testing.assert_array_equal(deltas[:, :2], 0.0)


def test_it_lifts_where_it_is_stuck(block):
    person = registry.make('demonstrator', {'tremor': 0.0, 'pauses': 0.0, 'misjudged': 0.0})
    # it believes to be over the hole, and is on the rim
    world = block(start=(0.004, 0.0))

    def misled(features):
        return {**features, 'tip': features['tcp'] - (0.004, 0.0, 0.050)}

    deltas, _ = attempt(world, person, seconds=4.0, change=misled)
    assert deltas[:, 2].min() < 0.0 < deltas[:, 2].max()


@pytest.mark.parametrize('values', [{'speed': 1.0}, {'reaction': -0.1}, {'gain': 'high'}])
def test_a_hand_that_nobody_has_is_refused(values):
    with pytest.raises(StationError) as caught:
        registry.make('demonstrator', values)
    assert caught.value.code == ErrorCode.POLICY_BAD_PARAMETER
