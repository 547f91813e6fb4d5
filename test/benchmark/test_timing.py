"""Timings of closed trials."""

import pytest
from trial_support import ended, open_trial

from enpire_nodes.benchmark.timing import outcomes, TrialTiming
from enpire_nodes.rollout.records import TrialOutcome


def test_timing_of_a_closed_trial():
    timing = TrialTiming.of(ended(open_trial()), wall=21.0, simulated=20.5)

    assert (timing.wall, timing.simulated) == (21.0, 20.5)
    assert (timing.outcome, timing.attempts, timing.recoveries) == ('SUCCESS', 2, 1)
    assert timing.stages == 15.0


@pytest.mark.parametrize('change', [{'outcome': 'FAILURE'}, {'attempts': 2}, {'recoveries': 1}])
def test_trials_that_went_another_way_are_not_alike(timing, change):
    assert timing(wall=11.0).like(timing(wall=99.0))
    assert not timing().like(timing(**change))


def test_outcomes_in_words(timing):
    trials = [timing(), timing(), timing(outcome=TrialOutcome.FAULTED.name)]

    assert outcomes(trials) == '2 SUCCESS, 1 FAULTED'
