"""Bounds on a rate."""

import math

import pytest
from scipy.stats import binom

from enpire_nodes.common.bounds import lower_bound, upper_bound


@pytest.mark.parametrize(('successes', 'trials'), [(1, 3), (37, 40), (40, 40), (1490, 1500)])
@pytest.mark.parametrize('confidence', [0.9, 0.95])
def test_the_lower_bound_makes_what_was_seen_just_unlikely(successes, trials, confidence):
    bound = lower_bound(successes, trials, confidence=confidence)
    assert binom.sf(successes - 1, trials, bound) == pytest.approx(1.0 - confidence, rel=1e-6)


@pytest.mark.parametrize(('successes', 'trials'), [(0, 40), (3, 40), (1, 1500)])
@pytest.mark.parametrize('confidence', [0.9, 0.95])
def test_the_upper_bound_makes_what_was_seen_just_unlikely(successes, trials, confidence):
    bound = upper_bound(successes, trials, confidence=confidence)
    assert binom.cdf(successes, trials, bound) == pytest.approx(1.0 - confidence, rel=1e-6)


def test_nothing_seen_says_nothing():
    assert (lower_bound(0, 0), upper_bound(0, 0)) == (0.0, 1.0)
    assert (lower_bound(0, 9), upper_bound(9, 9)) == (0.0, 1.0)


def test_no_event_in_1500_bounds_a_rate_by_the_rule_of_three():
    assert upper_bound(0, 1500) == pytest.approx(-math.log(0.05) / 1500, rel=2e-3)


@pytest.mark.parametrize('bound', [lower_bound, upper_bound])
@pytest.mark.parametrize(
    ('successes', 'trials', 'confidence'), [(4, 3, 0.95), (-1, 3, 0.95), (1, 3, 1.0), (1, 3, 0.0)]
)
def test_the_impossible_is_refused(bound, successes, trials, confidence):
    with pytest.raises(ValueError, match=r'impossible|between'):
        bound(successes, trials, confidence=confidence)
