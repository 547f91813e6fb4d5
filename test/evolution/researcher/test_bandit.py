"""What to try next, and what to believe of it."""

import random

import pytest
from scipy.integrate import quad
from scipy.stats import beta

from enpire_nodes.evolution.researcher.bandit import Count, draw, probability_better


@pytest.mark.parametrize(
    ('first', 'second'),
    [((3, 3), (2, 6)), ((0, 5), (4, 9)), ((20, 20), (18, 20)), ((0, 0), (0, 0))],
)
def test_the_probability_is_that_of_the_integral(first, second):
    a, b = Count(*first), Count(*second)
    one = beta(a.successes + 1, a.failures + 1)
    other = beta(b.successes + 1, b.failures + 1)
    expected, _ = quad(lambda rate: one.pdf(rate) * other.cdf(rate), 0.0, 1.0)
    assert probability_better(a, b) == pytest.approx(expected, abs=1e-7)
    assert probability_better(a, b) + probability_better(b, a) == pytest.approx(1.0)


def test_what_was_worth_it_is_drawn_more_often_but_not_alone():
    rng = random.Random(1)
    chances = {'good': Count(5, 6), 'bad': Count(1, 6)}
    drawn = [draw(chances, rng) for _ in range(500)]
    assert 400 < drawn.count('good') < 500
