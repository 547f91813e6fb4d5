"""The contact search."""

import numpy as np
import pytest

from enpire_nodes.rollout.controllers import registry


@pytest.mark.parametrize(
    'error', [(0.0, 0.0), (0.004, 0.0), (-0.003, 0.004), (0.002, -0.006), (-0.006, -0.005)]
)
def test_it_finds_the_hole_that_the_arm_reports_wrongly(block, error):
    world = block(error=error)
    assert world.run(registry.make('spiral_search')) is not None
    assert world.depth > 0.02


def test_it_presses_lightly(block):
    world = block(error=(0.004, -0.003))
    world.run(registry.make('spiral_search', {'press_force': 1.5}))
    assert 1.0 < world.peak < 8.0


def test_the_spiral_stays_within_its_radius(block):
    world = block(error=(0.02, 0.0))
    world.run(registry.make('spiral_search', {'radius': 0.006}))
    path = np.array(world.path)
    touching = path[path[:, 2] <= 0.0501]
    assert 0.004 < np.hypot(touching[:, 0], touching[:, 1]).max() < 0.0075
    assert world.depth < 0.005


def test_a_retry_takes_another_way(block):
    controller = registry.make('spiral_search')
    first, second = block(error=(0.02, 0.0)), block(error=(0.02, 0.0))
    first.run(controller, attempt=1, seconds=6.0)
    second.run(controller, attempt=2, seconds=6.0)
    length = min(len(first.path), len(second.path))
    gap = np.array(first.path[:length]) - np.array(second.path[:length])
    assert np.hypot(gap[:, 0], gap[:, 1]).max() > 0.002


def first_touch(world, controller, attempt):
    world.run(controller, attempt=attempt, seconds=3.0)
    return next(place[:2] for place in world.path if place[2] <= 0.0501)


def test_a_retry_searches_where_the_last_attempt_dipped_and_the_next_one_does_not(block):
    class Dented(block):
        """A block with a dent, which is what a tilted pin over the hole's edge feels like."""

        def apply(self, action):
            super().apply(action)
            if np.hypot(self.tcp[0] - 0.004, self.tcp[1] - 0.001) < 0.0015:
                self.tcp[2] -= 0.002

    controller = registry.make('spiral_search')
    Dented(error=(0.02, 0.0)).run(controller, attempt=1, seconds=8.0)
    second = first_touch(Dented(error=(0.02, 0.0)), controller, 2)
    assert np.hypot(second[0] - 0.004, second[1] - 0.001) < 0.002
    third = first_touch(Dented(error=(0.02, 0.0)), controller, 3)
    assert np.hypot(*third) < 0.001


def test_a_flat_top_gives_no_hint(block):
    controller = registry.make('spiral_search')
    block(error=(0.03, 0.0)).run(controller, attempt=1, seconds=6.0)
    assert np.hypot(*first_touch(block(error=(0.03, 0.0)), controller, 2)) < 0.001


def test_a_new_trial_forgets_what_was_touched(block):
    controller = registry.make('spiral_search')
    fresh, used = block(error=(0.004, 0.0)), block(error=(0.004, 0.0))
    fresh.run(registry.make('spiral_search'), attempt=1)
    block(error=(0.02, 0.0)).run(controller, attempt=1, seconds=6.0)
    used.run(controller, attempt=1)
    np.testing.assert_array_equal(fresh.path, used.path)


def test_with_no_block_below_it_comes_to_an_end(block):
    world = block(error=(0.0, 0.0))
    assert world.run(registry.make('spiral_search'), seconds=10.0) < 8.0
