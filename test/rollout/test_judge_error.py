"""Success rates corrected for a judge that errs."""

import math

import numpy as np
import pytest

from enpire_nodes.rollout.auditing.tally import Tally
from enpire_nodes.rollout.judge_error import corrected_rate
from enpire_nodes.rollout.statistics import lower_bound


def errors(false, failures, missed, successes):
    """Count ``false`` successes of ``failures``, and ``missed`` ones of ``successes``."""
    return Tally(
        true_successes=successes - missed, false_successes=false,
        true_failures=failures - false, false_failures=missed,
    )  # fmt: skip


PERFECT = errors(0, 2000, 0, 1000)


def test_the_estimate_is_rogan_and_gladen_s():
    # apparent prevalence 0.30, sensitivity 0.90, specificity 0.95: (0.30 + 0.95 - 1) / 0.85
    rate = corrected_rate(300, 1000, errors(5, 100, 10, 100))
    assert rate.estimate == pytest.approx(0.25 / 0.85)


def test_a_judge_that_never_erred_leaves_the_rate_and_widens_the_bounds():
    rate = corrected_rate(45, 50, PERFECT)
    assert rate.estimate == pytest.approx(0.9)
    assert rate.lower < lower_bound(45, 50) < 0.9 < rate.upper


@pytest.mark.parametrize('tally', [errors(0, 0, 0, 10), errors(0, 10, 0, 0)])
def test_a_judge_that_was_not_measured_tells_nothing(tally):
    rate = corrected_rate(50, 50, tally)
    assert math.isnan(rate.estimate)
    assert rate.lower == 0.0 or rate.upper == 1.0


def test_a_judge_that_tosses_a_coin_tells_nothing():
    rate = corrected_rate(50, 100, errors(50, 100, 50, 100))
    assert math.isnan(rate.estimate)
    assert rate.lower < 0.05
    assert rate.upper > 0.95


def test_more_false_successes_make_the_same_verdicts_worth_less():
    lows = [corrected_rate(48, 50, errors(n, 500, 0, 500)).lower for n in (0, 10, 100)]
    assert lows == sorted(lows, reverse=True)
    assert lows[-1] < lows[0]


@pytest.mark.parametrize(('true', 'false', 'missed'), [(0.9, 0.02, 0.05), (0.3, 0.1, 0.1)])
def test_the_bounds_hold_as_often_as_they_say(true, false, missed):
    rng, held, tries = np.random.default_rng(7), [0, 0], 400
    for _ in range(tries):
        judged = rng.binomial(60, true * (1.0 - missed) + (1.0 - true) * false)
        tally = errors(rng.binomial(300, false), 300, rng.binomial(300, missed), 300)
        rate = corrected_rate(int(judged), 60, tally)
        held[0] += rate.lower <= true
        held[1] += true <= rate.upper
    assert min(held) / tries >= 0.95
