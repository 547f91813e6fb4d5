"""Bounds against published numbers, scipy and simulation."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest
from scipy.stats import binomtest
from trial_support import attempt, ended, open_trial

from enpire_nodes.rollout.records import TrialOutcome, VerdictOutcome
from enpire_nodes.rollout.statistics import (
    anytime_lower_bound,
    barnard,
    corrected_bound,
    lower_bound,
    streaks,
    summarize,
    upper_bound,
)


@pytest.mark.parametrize(
    ('successes', 'trials', 'percent'),
    [(29, 29, 90.2), (50, 50, 94.2), (59, 59, 95.0), (149, 149, 98.0), (299, 299, 99.0),
     (49, 50, 90.9), (48, 50, 87.9), (98, 100, 93.8)],
)  # fmt: skip
def test_the_fixed_bound_gives_the_published_numbers(successes, trials, percent):
    assert 100 * lower_bound(successes, trials) == pytest.approx(percent, abs=0.05)


@pytest.mark.parametrize(('confidence', 'percent'), [(0.90, 95.5), (0.99, 91.2)])
def test_other_confidences(confidence, percent):
    assert 100 * lower_bound(50, 50, confidence=confidence) == pytest.approx(percent, abs=0.05)


@given(st.integers(0, 60), st.integers(0, 60))
def test_fixed_bounds_agree_with_scipy(successes, failures):
    trials = successes + failures
    if trials == 0:
        assert (lower_bound(0, 0), upper_bound(0, 0)) == (0.0, 1.0)
        return
    low = binomtest(successes, trials, alternative='greater').proportion_ci(0.95).low
    high = binomtest(successes, trials, alternative='less').proportion_ci(0.95).high
    assert lower_bound(successes, trials) == pytest.approx(low, abs=1e-9)
    assert upper_bound(successes, trials) == pytest.approx(high, abs=1e-9)


@pytest.mark.parametrize(
    ('trials', 'prior', 'percent'),
    [
        (50, (1.0, 1.0), 87.1),
        (50, (0.5, 0.5), 89.5),
        (100, (1.0, 1.0), 92.7),
        (100, (0.5, 0.5), 94.3),
    ],
)
def test_the_anytime_bound_gives_the_published_numbers(trials, prior, percent):
    assert 100 * anytime_lower_bound(trials, trials, prior=prior) == pytest.approx(
        percent, abs=0.06
    )


@given(st.integers(0, 80), st.integers(0, 80))
def test_watching_costs_something(successes, failures):
    trials = successes + failures
    bound = anytime_lower_bound(successes, trials)
    assert 0.0 <= bound <= lower_bound(successes, trials) + 1e-9


def test_the_anytime_bound_holds_at_every_look():
    """At most 5 % of the stations that stop at their best moment may claim too much."""
    rng = np.random.default_rng(7)
    true_rate, runs, length = 0.8, 400, 120
    bounds = {
        (k, n): anytime_lower_bound(k, n) for n in range(1, length + 1) for k in range(n + 1)
        if abs(k - true_rate * n) < 6 + 0.3 * n
    }  # fmt: skip
    fixed_wrong = anytime_wrong = 0
    for _ in range(runs):
        counts = np.cumsum(rng.random(length) < true_rate)
        looks = [(int(k), n) for n, k in enumerate(counts, start=1)]
        anytime_wrong += any(bounds.get(look, 0.0) > true_rate for look in looks)
        fixed_wrong += any(lower_bound(k, n) > true_rate for k, n in looks[::4])
    assert anytime_wrong / runs <= 0.05
    assert fixed_wrong / runs > 0.05  # why the fixed bound must not be watched


def test_a_judge_that_errs_costs_what_it_may_have_given():
    assert corrected_bound(lower_bound(50, 50), 0.05) == pytest.approx(0.939, abs=5e-4)
    assert corrected_bound(lower_bound(50, 50), 0.30) == pytest.approx(0.917, abs=5e-4)
    assert corrected_bound(0.1, 0.5) == 0.0


def test_barnard_gives_the_published_numbers():
    assert barnard((50, 50), (46, 50), alternative='greater') == pytest.approx(0.022, abs=5e-4)
    assert barnard((50, 50), (45, 50), alternative='greater') == pytest.approx(0.012, abs=5e-4)
    assert barnard((45, 50), (50, 50), alternative='less') == pytest.approx(0.012, abs=5e-4)
    assert barnard((0, 0), (3, 5)) == 1.0


@pytest.mark.parametrize(
    ('outcomes', 'expected'),
    [('', (0, 0)), ('+', (1, 1)), ('++-', (0, 2)), ('+-+++', (3, 3)), ('+++-+', (1, 3))],
)
def test_streaks(outcomes, expected):
    assert streaks(item == '+' for item in outcomes) == expected


def test_a_summary_counts_every_trial_that_it_must():
    first = replace(ended(open_trial()), attempts=(attempt(1, VerdictOutcome.SUCCESS),))
    trials = [
        first,
        ended(open_trial()),
        ended(open_trial(), TrialOutcome.FAULTED),
        replace(ended(open_trial(), TrialOutcome.INTERRUPTED), infrastructure=True),
        ended(open_trial()),
        open_trial(),
        ended(open_trial(requester='canary'), TrialOutcome.FAILURE),
    ]
    summary = summarize(trials)
    assert (summary.trials, summary.excluded, summary.counted) == (5, 1, 4)
    assert (summary.successes, summary.first_attempt_successes) == (3, 1)
    assert (summary.rate, summary.first_attempt_rate) == (0.75, 0.25)
    assert (summary.streak, summary.longest_streak) == (1, 2)
    assert summary.lower == lower_bound(3, 4)


def test_nothing_is_claimed_before_the_first_trial():
    summary = summarize([])
    assert (summary.lower, summary.anytime) == (0.0, 0.0)
    assert np.isnan(summary.rate)


@pytest.mark.parametrize('numbers', [(-1, 5), (6, 5)])
def test_impossible_counts_are_refused(numbers):
    with pytest.raises(ValueError, match='impossible'):
        lower_bound(*numbers)
    with pytest.raises(ValueError, match='confidence'):
        upper_bound(1, 2, confidence=1.0)
