"""What a policy gets to see."""

import dataclasses

import numpy as np
import pytest

from enpire_nodes.tasks.api import Pose

SHAPES = {
    'tcp': 3, 'orientation': 4, 'force': 3, 'torque': 3, 'gripper': 2, 'tip': 3, 'tip_valid': 1,
    'elapsed': 1,
}  # fmt: skip


def observed(bench, placement):
    made = bench(placement=placement, seed=2)
    made.wait(0.2)
    fixture = Pose(made.truth['hole_position'], np.array([0.0, 0.0, 0.0, 1.0]))
    return made, made.task.observer(made.cameras, fixture)


def test_shapes_and_types_are_fixed(bench):
    made, observer = observed(bench, 'hole')
    features = observer.features(made.wait(0.1), elapsed=0.5)
    assert {name: len(array) for name, array in features.items()} == SHAPES
    assert all(array.dtype == np.float64 for array in features.values())
    assert features['elapsed'] == pytest.approx([0.5])


def test_sees_the_tip_near_the_hole_and_says_when_it_does_not(bench):
    made, observer = observed(bench, 'hole')
    for _ in range(4):
        features = observer.features(made.wait(0.1))
    assert features['tip_valid'] == 1.0
    assert features['tip'][:2] == pytest.approx([0.0, 0.0], abs=0.003)
    kept = features['tip']
    blind = dataclasses.replace(made.wait(0.5), frames={})
    features = observer.features(blind)
    assert features['tip_valid'] == 0.0
    assert features['tip'] == pytest.approx(kept)


def test_without_a_pin_the_tip_is_never_valid(bench):
    made, observer = observed(bench, 'missing')
    for _ in range(4):
        features = observer.features(made.wait(0.1))
    assert features['tip_valid'] == 0.0


def test_forces_are_relative_to_the_first_ones_until_reset(bench):
    made, observer = observed(bench, 'hole')
    assert observer.features(made.wait(0.1))['force'] == pytest.approx(np.zeros(3))
    later = observer.features(made.wait(0.1))['force']
    assert later != pytest.approx(np.zeros(3), abs=1e-12)
    observer.reset()
    assert observer.features(made.wait(0.1))['force'] == pytest.approx(np.zeros(3))


def test_the_hand_is_given_relative_to_the_hole(bench):
    made, observer = observed(bench, 'hole')
    observation = made.wait(0.1)
    expected = observation.arms['right'].position - made.truth['hole_position']
    assert observer.features(observation)['tcp'] == pytest.approx(expected)
