"""Simulated time follows the wall clock."""

from __future__ import annotations

import numpy as np
import pytest

from enpire_nodes.drivers.simulated.pacing import Pacer


@pytest.mark.parametrize('speed', [0.5, 1.0, 5.0])
def test_steps_add_up_to_the_wall_clock_times_speed(speed):
    pacer, rng, now = Pacer(600, speed=speed), np.random.default_rng(0), 1000.0
    done = pacer.due(now)
    for _ in range(500):
        now += rng.uniform(0.005, 0.015)
        done += pacer.due(now)
    assert done == pytest.approx((now - 1000.0) * 600 * speed, abs=1.0)
    assert pacer.slipped == 0.0


def test_a_long_pause_is_given_up_instead_of_raced_after():
    pacer = Pacer(600, patience=0.1)
    pacer.due(0.0)
    assert pacer.due(1.0) == 60
    assert pacer.slipped == pytest.approx(0.9)
    assert pacer.due(1.01) == pytest.approx(6, abs=1)


def test_time_that_stands_still_asks_for_nothing():
    pacer = Pacer(600)
    pacer.due(5.0)
    assert pacer.due(5.0) == 0
    assert pacer.due(4.0) == 0
