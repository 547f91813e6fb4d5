"""Scores are never certain, and thresholds leave a range."""

import numpy as np
import pytest
from scipy.special import expit

from enpire_nodes.environment.learned.thresholds import calibrated, Range
from enpire_nodes.tasks.api import Outcome


def test_scores_are_the_logistic_of_cooled_log_odds():
    logits = np.linspace(-12.0, 12.0, 9)
    assert calibrated(logits, 2.0) == pytest.approx(expit(logits / 2.0))


def test_no_score_is_ever_certain():
    scores = calibrated(np.array([-1e9, 1e9]), 1.0)
    assert 0.0 < scores[0] < scores[1] < 1.0


@pytest.mark.parametrize(
    ('score', 'outcome'),
    [
        (0.2, Outcome.FAILURE),
        (0.2001, Outcome.UNCERTAIN),
        (0.7999, Outcome.UNCERTAIN),
        (0.8, Outcome.SUCCESS),
        (float('nan'), Outcome.UNCERTAIN),
    ],
)
def test_between_the_thresholds_it_is_uncertain(score, outcome):
    assert Range(0.2, 0.8).verdict(score) is outcome


@pytest.mark.parametrize(('low', 'high'), [(0.5, 0.5), (0.9, 0.1), (-0.1, 0.5), (0.2, 1.1)])
def test_thresholds_that_leave_no_range_are_refused(low, high):
    with pytest.raises(ValueError, match='range'):
        Range(low, high)
