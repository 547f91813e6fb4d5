"""Retries against independent tries."""

from dataclasses import replace
import math

import numpy as np
import pytest
from trial_support import attempt, ended, open_trial

from enpire_nodes.rollout.records import TrialOutcome, VerdictOutcome
from enpire_nodes.rollout.retries import independent, retry_report

GOOD, BAD = VerdictOutcome.SUCCESS, VerdictOutcome.FAILURE


def trial(number, *verdicts, attempts=3):
    outcome = TrialOutcome.SUCCESS if GOOD in verdicts else TrialOutcome.FAILURE
    started = open_trial(f't{number:04d}', max_attempts=attempts)
    made = tuple(attempt(index + 1, verdict) for index, verdict in enumerate(verdicts))
    return replace(ended(started, outcome), attempts=made)


def simulated(rng, first, later, *, number=400, attempts=3):
    """Trials of a policy whose later attempts succeed at another rate than its first ones."""
    trials = []
    for index in range(number):
        verdicts = []
        for chance in (first, *[later] * (attempts - 1)):
            verdicts.append(GOOD if rng.random() < chance else BAD)
            if verdicts[-1] is GOOD:
                break
        trials.append(trial(index, *verdicts, attempts=attempts))
    return trials


@pytest.mark.parametrize(
    ('rate', 'k', 'expected'), [(0.5, 1, 0.5), (0.5, 3, 0.875), (0.0, 8, 0.0), (1.0, 8, 1.0)]
)
def test_independent_tries(rate, k, expected):
    assert independent(rate, k) == pytest.approx(expected)


def test_no_tries_are_refused():
    with pytest.raises(ValueError, match='none'):
        independent(0.5, 0)


def test_every_attempt_is_counted():
    report = retry_report([trial(0, GOOD), trial(1, BAD, GOOD), trial(2, BAD, BAD, BAD)])
    assert report.attempts == ((1, 3), (1, 2), (0, 1))
    assert report.pass_k == pytest.approx(2 / 3)
    assert report.control == pytest.approx(1 - (2 / 3) ** 3)
    assert report.control_lower < report.control < report.control_upper


def test_a_policy_that_forgets_is_as_good_as_its_control():
    report = retry_report(simulated(np.random.default_rng(1), 0.5, 0.5))
    assert report.control_lower < report.pass_k < report.control_upper
    assert not report.recovers


def test_a_policy_that_learns_from_its_failures_beats_its_control():
    report = retry_report(simulated(np.random.default_rng(2), 0.4, 0.8))
    assert report.pass_k > report.control_upper
    assert report.recovers


def test_a_policy_that_despairs_does_not():
    report = retry_report(simulated(np.random.default_rng(3), 0.6, 0.1))
    assert report.pass_k < report.control_lower
    assert report.p_value > 0.99


def test_canaries_and_trials_without_a_policy_are_left_out():
    canary = replace(trial(1, GOOD, attempts=1), requester='canary')
    faulted = replace(trial(2, attempts=3), infrastructure=True)
    assert retry_report([trial(0, BAD, GOOD), canary, faulted]).attempts == (
        (0, 1),
        (1, 1),
        (0, 0),
    )


def test_without_trials_nothing_is_claimed():
    report = retry_report([])
    assert math.isnan(report.pass_k)
    assert (report.control_lower, report.control_upper) == (0.0, 1.0)
    assert not report.recovers


def test_different_numbers_of_attempts_are_not_mixed():
    with pytest.raises(ValueError, match='compared'):
        retry_report([trial(0, GOOD), trial(1, GOOD, attempts=8)])
