"""Counting what judge and auditor say, and the rates that follow."""

from __future__ import annotations

import math

import pytest

from enpire_nodes.rollout.auditing.tally import Tally
from enpire_nodes.rollout.records import VerdictOutcome as V
from enpire_nodes.rollout.statistics import lower_bound, upper_bound


def tally(**counts: int) -> Tally:
    pairs = {
        'true_successes': (V.SUCCESS, V.SUCCESS),
        'false_successes': (V.SUCCESS, V.FAILURE),
        'true_failures': (V.FAILURE, V.FAILURE),
        'false_failures': (V.FAILURE, V.SUCCESS),
        'missed': (V.UNCERTAIN, V.SUCCESS),
        'uncertain_failures': (V.UNCERTAIN, V.FAILURE),
        'undecided': (V.SUCCESS, V.UNCERTAIN),
    }
    result = Tally()
    for name, count in counts.items():
        for _ in range(count):
            result.add(*pairs[name])
    return result


def test_rates_and_bounds():
    found = tally(
        true_successes=40, false_successes=2, true_failures=18, false_failures=1, missed=3,
        uncertain_failures=4, undecided=5,
    )  # fmt: skip
    assert (found.uncertain, found.undecided) == (7, 5)
    assert found.precision == 40 / 42
    assert found.recall == 40 / 44
    assert found.false_positive_rate == 2 / 20
    assert found.precision_lower == lower_bound(40, 42)
    assert found.recall_lower == lower_bound(40, 44)
    assert found.false_positive_upper == upper_bound(2, 20)
    assert found.misses == 4


def test_nothing_is_claimed_without_a_case():
    empty = Tally()
    assert math.isnan(empty.precision)
    assert math.isnan(empty.recall)
    assert math.isnan(empty.false_positive_rate)
    assert (empty.precision_lower, empty.recall_lower, empty.false_positive_upper) == (0, 0, 1)


@pytest.mark.parametrize('verdict', [V.FAILURE, V.SUCCESS, V.UNCERTAIN])
@pytest.mark.parametrize('truth', [V.FAILURE, V.SUCCESS, V.UNCERTAIN])
def test_what_is_taken_back_leaves_no_trace(verdict, truth):
    found = Tally()
    found.add(verdict, truth)
    assert found != Tally()
    found.add(verdict, truth, count=-1)
    assert found == Tally()
