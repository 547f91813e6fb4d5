"""Percentiles of durations."""

import math

import pytest

from enpire_nodes.rollout.policy.timing import Durations, PeriodJitter


def test_nothing_measured_is_not_zero():
    assert math.isnan(Durations().percentile(50))


def test_the_newest_are_kept():
    durations = Durations(size=3)
    for value in (100.0, 1.0, 2.0, 3.0):
        durations.add(value)
    assert len(durations) == 3
    assert durations.percentile(100) == 3.0


def test_jitter_is_the_distance_to_the_nominal_period():
    jitter = PeriodJitter(0.1)
    for now in (0.0, 0.1, 0.25, 0.35):
        jitter.mark(now)
    assert jitter.deviations.percentile(100) == pytest.approx(0.05)
    assert jitter.deviations.percentile(0) == pytest.approx(0.0)


def test_the_pause_between_two_attempts_is_no_jitter():
    jitter = PeriodJitter(0.1)
    jitter.mark(0.0)
    jitter.begin()
    jitter.mark(50.0)
    assert len(jitter.deviations) == 0
