"""Temperature and thresholds from held-out scores."""

import numpy as np
import pytest
from scipy.special import expit, logit

from enpire_nodes.common.bounds import upper_bound
from enpire_nodes.environment.learned.calibrate import (
    choose_range,
    fit_temperature,
    held_out,
)
from enpire_nodes.environment.learned.thresholds import calibrated, Range
from enpire_nodes.tasks.api import Outcome


def singles(values):
    return [np.array([value]) for value in values]


@pytest.mark.parametrize('scale', [0.5, 1.0, 4.0])
def test_the_temperature_gives_the_true_probabilities_back(scale):
    rng = np.random.default_rng(1)
    truth = rng.normal(0.0, 2.0, 40_000)
    labels = rng.uniform(size=truth.size) < expit(truth)
    assert fit_temperature(scale * truth, labels) == pytest.approx(scale, rel=0.05)


def test_perfect_held_out_scores_do_not_make_it_certain():
    logits = np.repeat([8.0, -8.0], 20)
    temperature = fit_temperature(logits, logits > 0)
    assert calibrated(np.array([8.0]), temperature)[0] == pytest.approx(21 / 22, abs=0.01)


def test_the_range_of_separate_classes_is_the_middle_of_what_nobody_saw():
    scores = singles([*expit([-6.0, -4.0]), *expit([4.0, 6.0])])
    chosen = choose_range(scores, [False, False, True, True])
    assert chosen.low == pytest.approx(expit(-2.0))
    assert chosen.high == pytest.approx(expit(2.0))


def test_a_gap_from_nought_to_one_is_narrowed():
    chosen = choose_range(singles([1e-5, 1e-5, 1 - 1e-5]), [False, False, True])
    assert (chosen.low, chosen.high) == (0.03, 0.97)


def test_no_range_is_so_narrow_that_it_is_a_point():
    chosen = choose_range(singles([0.4999, 0.5001]), [False, True])
    assert (chosen.low, chosen.high) == (0.35, 0.65)


def test_a_failure_that_looks_like_a_success_lifts_the_upper_threshold():
    scores = singles([0.01] * 20 + [0.991] + [0.95, 0.995])
    chosen = choose_range(scores, [False] * 21 + [True] * 2)
    assert chosen.verdict(0.991) is Outcome.UNCERTAIN
    assert chosen.verdict(0.995) is Outcome.SUCCESS


def test_a_success_that_looks_like_a_failure_lowers_the_lower_threshold():
    scores = singles([0.002, 0.1] + [0.005] + [0.99] * 20)
    chosen = choose_range(scores, [False] * 2 + [True] * 21)
    assert chosen.verdict(0.005) is Outcome.UNCERTAIN
    assert chosen.verdict(0.002) is Outcome.FAILURE


@pytest.mark.parametrize(('failures', 'allowed'), [(40, 0), (93, 1), (200, 4)])
def test_as_many_false_positives_as_the_bound_leaves(failures, allowed):
    rng = np.random.default_rng(0)
    scores = singles([*rng.uniform(0.01, 0.99, failures), *rng.uniform(0.3, 0.999, 300)])
    labels = [False] * failures + [True] * 300
    chosen = choose_range(scores, labels, bound=0.05)
    figures = held_out(scores, labels, chosen)
    assert figures.false_positives == allowed
    assert figures.false_positive_bound == upper_bound(allowed, failures)


def test_an_episode_counts_with_its_worst_picture():
    scores = [np.array([0.1, 0.7]), np.array([0.9, 0.8])]
    chosen = choose_range(scores, [False, True])
    assert chosen.low == 0.35
    assert chosen.high == pytest.approx(expit((logit(0.7) + 3 * logit(0.8)) / 4))
    figures = held_out(scores, [False, True], Range(0.5, 0.75))
    assert (figures.false_positives, figures.false_negatives, figures.uncertain) == (0, 0, 1)
    assert figures.brier == pytest.approx(((0.01 + 0.49) / 2 + (0.01 + 0.04) / 2) / 2)
