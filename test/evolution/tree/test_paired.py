"""Tango's interval: against the likelihood it comes from, McNemar's test, and its own promise."""

import math

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.stats import multinomial

from enpire_nodes.evolution.tree.paired import (
    constrained_loss_rate,
    paired_difference,
    statistic,
)

tables = st.tuples(st.integers(0, 40), st.integers(0, 40), st.integers(0, 80)).map(
    lambda t: (t[0], t[1], t[0] + t[1] + t[2])
)
some = tables.filter(lambda table: table[2] > 0)


@given(some)
def test_the_estimate_lies_within(table):
    found = paired_difference(*table)
    assert -1.0 <= found.lower <= found.estimate <= found.upper <= 1.0


@given(some)
def test_exchanging_the_two_mirrors_it(table):
    wins, losses, pairs = table
    one, other = paired_difference(wins, losses, pairs), paired_difference(losses, wins, pairs)
    assert one.lower == pytest.approx(-other.upper, abs=1e-8)
    assert one.upper == pytest.approx(-other.lower, abs=1e-8)


@given(some)
def test_it_excludes_zero_when_mcnemar_rejects(table):
    wins, losses, pairs = table
    found = paired_difference(wins, losses, pairs)
    score = abs(wins - losses) / math.sqrt(wins + losses) if wins + losses else 0.0
    if abs(score - 1.959964) > 1e-4:
        assert (found.lower > 0.0 or found.upper < 0.0) == (score > 1.959964)


@given(some)
def test_its_ends_are_where_the_test_rejects(table):
    found = paired_difference(*table)
    for end in (found.lower, found.upper):
        if abs(end) < 1.0 - 1e-9:
            assert abs(statistic(*table, end)) == pytest.approx(1.959964, abs=1e-4)


@pytest.mark.parametrize('table', [(9, 2, 30), (0, 5, 20), (3, 0, 12), (10, 10, 25)])
@pytest.mark.parametrize('difference', [-0.4, -0.1, 0.0, 0.2, 0.5])
def test_the_nuisance_rate_is_the_most_likely_one(table, difference):
    wins, losses, pairs = table
    low, high = max(0.0, -difference), (1.0 - difference) / 2.0

    def surprise(loss):
        rates = (loss + difference, loss, 1.0 - 2.0 * loss - difference)
        counts = (wins, losses, pairs - wins - losses)
        return -sum(n * math.log(max(p, 1e-300)) for n, p in zip(counts, rates, strict=True) if n)

    best = minimize_scalar(surprise, bounds=(low, high), method='bounded',
                           options={'xatol': 1e-10})  # fmt: skip
    assert constrained_loss_rate(*table, difference) == pytest.approx(best.x, abs=1e-5)


@pytest.mark.parametrize('rates', [(0.3, 0.1), (0.2, 0.2), (0.5, 0.05)])
def test_it_holds_as_often_as_it_says(rates):
    pairs, (win, loss) = 25, rates
    held = 0.0
    for wins in range(pairs + 1):
        for losses in range(pairs - wins + 1):
            found = paired_difference(wins, losses, pairs)
            if found.lower <= win - loss <= found.upper:
                counts = [wins, losses, pairs - wins - losses]
                held += multinomial.pmf(counts, pairs, [win, loss, 1.0 - win - loss])
    assert 0.935 < held < 0.985


def test_more_pairs_tell_more():
    widths = [
        (lambda d: d.upper - d.lower)(paired_difference(3 * n, n, 10 * n)) for n in (1, 2, 5, 20)
    ]
    assert np.all(np.diff(widths) < 0.0)


def test_what_cannot_be():
    with pytest.raises(ValueError, match='impossible'):
        paired_difference(3, 3, 5)
    nothing = paired_difference(0, 0, 0)
    assert (nothing.lower, nothing.upper) == (-1.0, 1.0)
    assert math.isnan(nothing.estimate)
