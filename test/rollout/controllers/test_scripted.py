"""The open-loop controller."""

import numpy as np
import pytest

from enpire_nodes.rollout.controllers import registry


def test_with_a_true_arm_it_inserts(block):
    world = block()
    assert world.run(registry.make('scripted')) is not None
    assert world.depth > 0.02


@pytest.mark.parametrize('error', [(0.004, 0.0), (-0.003, 0.003)])
def test_with_a_wrong_arm_it_misses_and_still_ends(block, error):
    world = block(error=error)
    assert world.run(registry.make('scripted')) is not None
    assert world.depth < 0.005


def test_it_goes_no_faster_than_set(block):
    world = block()
    world.run(registry.make('scripted', {'align_speed': 0.02, 'push_speed': 0.01}))
    steps = np.diff(np.array(world.path), axis=0) * 30.0
    assert np.hypot(steps[:, 0], steps[:, 1]).max() <= 0.02 + 1e-9
    assert np.abs(steps[:, 2]).max() <= 0.01 + 1e-9


def test_a_second_attempt_is_like_the_first(block):
    controller = registry.make('scripted')
    worlds = [block(error=(0.004, 0.0)) for _ in range(2)]
    for attempt, world in enumerate(worlds, start=1):
        world.run(controller, attempt=attempt)
    np.testing.assert_array_equal(worlds[0].path, worlds[1].path)
