"""Percentiles and bootstrap intervals."""

import math

import numpy as np
import pytest

from enpire_nodes.benchmark.spread import mean_interval, Spread


def test_percentiles_of_a_known_sample():
    spread = Spread.of(range(1, 102))

    assert spread == Spread(n=101, p50=51.0, p99=100.0, mean=51.0, largest=101.0)


def test_nothing_has_no_spread():
    assert Spread.of([]) is None


def test_interval_holds_the_mean_and_shrinks_with_more_values():
    few = mean_interval([1.0, 2.0, 3.0])
    many = mean_interval([1.0, 2.0, 3.0] * 30)

    assert few[0] < 2.0 < few[1]
    assert many[1] - many[0] < 0.5 * (few[1] - few[0])


def test_interval_covers_as_often_as_it_says():
    rng = np.random.default_rng(3)
    samples = rng.normal(5.0, 1.0, (200, 20))
    hits = sum(low <= 5.0 <= high for low, high in map(mean_interval, samples))

    assert hits / 200 == pytest.approx(0.93, abs=0.05)


def test_interval_of_one_value_is_unknown():
    assert all(math.isnan(end) for end in mean_interval([1.0]))
