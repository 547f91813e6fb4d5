"""Pairs of trials."""

import pytest

from enpire_nodes.benchmark.overhead import compare


def test_overhead_is_taken_seed_by_seed(timing):
    bare = [timing(1, 10.0), timing(2, 20.0), timing(3, 12.0)]
    suite = [timing(2, 20.6), timing(1, 10.4)]

    overhead = compare(bare, suite)

    assert overhead.pairs == 2
    assert (overhead.bare, overhead.suite) == (15.0, pytest.approx(15.5))
    assert overhead.percent == pytest.approx(100 * 0.5 / 15.0)
    assert overhead.low <= overhead.percent <= overhead.high


def test_trials_that_went_another_way_are_left_out_and_counted(timing):
    bare = [timing(1, 10.0), timing(2, 10.0)]
    suite = [timing(1, 10.1), timing(2, 17.0, attempts=2)]

    overhead = compare(bare, suite)

    assert overhead.percent == pytest.approx(1.0)
    assert (overhead.pairs, overhead.unlike) == (1, 1)


def test_nothing_in_common_is_no_overhead(timing):
    assert compare([timing(1)], [timing(2)]) is None
    assert compare([], [timing(1)]) is None
    assert compare([timing(1)], [timing(1, outcome='RESET_FAILED')]) is None
