"""The curve of the best: no lucky score lifts it, and it says what was known when."""

from hypothesis import given
from hypothesis import strategies as st
import pytest
from trial_support import ended, open_trial

from enpire_nodes.evolution.accounting.progress import best_so_far, ENOUGH
from enpire_nodes.rollout.records import TrialOutcome
from enpire_nodes.rollout.statistics import anytime_lower_bound

S = 10**9


def trials(outcomes):
    """Return graded trials of (recipe, success), one a second."""
    return [
        (
            (number + 1) * S,
            ended(
                open_trial(f't{number}', commit=recipe),
                TrialOutcome.SUCCESS if won else TrialOutcome.FAILURE,
            ),
        )
        for number, (recipe, won) in enumerate(outcomes)
    ]


def curve(outcomes):
    made = trials(outcomes)
    worked = {trial.trial_id: 10.0 for _, trial in made}
    return best_so_far(made, worked, start_ns=0, spent=lambda at: at // S * 100)


def test_a_lucky_few_do_not_beat_many():
    steady = [('a', number % 5 > 0) for number in range(60)]
    points = curve(steady + [('b', True)] * ENOUGH)
    assert points[-1].recipe == 'a'
    assert curve(steady + [('b', True)] * 30)[-1].recipe == 'b'


def test_below_some_trials_there_is_no_best():
    assert curve([('a', True)] * (ENOUGH - 1)) == []
    (point,) = curve([('a', True)] * ENOUGH)
    assert (point.seconds, point.robot_seconds, point.tokens) == (ENOUGH, 10.0 * ENOUGH, 500)


def test_the_rate_may_fall():
    points = curve([('a', True)] * 10 + [('a', False)] * 10)
    assert points[-1].rate == pytest.approx(0.5)
    assert max(point.rate for point in points) == 1.0


@given(st.lists(st.tuples(st.sampled_from('abc'), st.booleans()), max_size=60))
def test_bounds_and_costs_at_every_point(outcomes):
    points = curve(outcomes)
    for point in points:
        assert 0.0 <= point.lower <= point.rate <= point.upper <= 1.0
        assert point.lower == anytime_lower_bound(point.successes, point.trials)
    costs = [(point.seconds, point.robot_seconds, point.tokens) for point in points]
    assert costs == sorted(costs)
