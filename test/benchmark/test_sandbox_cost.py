"""The cost of the sandbox: that it is measured, not how much it is."""

from dataclasses import replace

import pytest

from enpire_nodes.benchmark import sandbox_cost
from enpire_nodes.benchmark.sandbox_cost import GOAL_MS, measure
from enpire_nodes.common.errors import StationError
from enpire_nodes.rollout.policy import enclosure
from enpire_nodes.sandbox.bubblewrap import Availability


@pytest.fixture(scope='module')
def cost():
    return measure(30, rate=0.0, starts=1)


def test_both_workers_are_measured(cost):
    assert cost.steps == 30
    assert 0.0 < cost.median <= cost.p99
    assert 0.0 < cost.median_in_sandbox <= cost.p99_in_sandbox
    assert cost.added_median == pytest.approx(cost.median_in_sandbox - cost.median)
    assert cost.added_p99 == pytest.approx(cost.p99_in_sandbox - cost.p99)
    assert min(cost.start, cost.start_in_sandbox) > cost.p99


def test_the_goal_is_about_the_median_step(cost):
    assert replace(cost, added_median=GOAL_MS, added_p99=100.0).within_goal
    assert not replace(cost, added_median=GOAL_MS * 1.01).within_goal


def test_each_worker_is_first_in_every_second_pair():
    asked = []

    class Double:
        def __init__(self, name):
            self.name = name

        def step(self, features, *, deadline):
            asked.append(self.name)
            return True

    sandbox_cost._interleaved({mode: Double(mode) for mode in ('off', 'required')}, 2, 0.0)
    assert asked[:4] == ['required', 'off', 'off', 'required']


def test_without_a_sandbox_there_is_nothing_to_measure(monkeypatch):
    monkeypatch.setattr(enclosure, 'availability', lambda: Availability(False, 'none here'))
    with pytest.raises(StationError, match='none here'):
        measure(1, rate=0.0, starts=0)
