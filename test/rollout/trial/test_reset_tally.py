"""Which resets count, and what their causes were."""

from __future__ import annotations

import math

import pytest

from enpire_nodes.common.errors import ErrorCode
from enpire_nodes.rollout.records import AttemptRecord, TrialOutcome, TrialRecord
from enpire_nodes.rollout.trial.reset_tally import ResetTally


def trial(outcome: TrialOutcome, **fields) -> TrialRecord:
    return TrialRecord('t', outcome=outcome, **fields)


def test_nothing_is_known_before_the_first():
    tally = ResetTally()
    assert tally.attempts == 0
    assert math.isnan(tally.rate)
    assert math.isnan(tally.mean_seconds)
    assert tally.lower == 0.0


def test_resets_are_counted_with_their_times_and_causes():
    attempts = (AttemptRecord(1),)
    tally = ResetTally(
        [
            trial(TrialOutcome.SUCCESS, attempts=attempts, reset_seconds=3.0),
            trial(
                TrialOutcome.FAILURE,
                attempts=attempts,
                reset_seconds=5.0,
                reset_retries=2,
                reset_recoveries=('slipped', 'lying'),
            ),
            trial(
                TrialOutcome.RESET_FAILED,
                error_code=ErrorCode.RESET_PIN_NOT_FOUND,
                reset_seconds=90.0,
                reset_retries=1,
                reset_recoveries=('slipped',),
            ),
        ]
    )
    assert (tally.attempts, tally.successes) == (3, 2)
    assert tally.rate == pytest.approx(2 / 3)
    assert (tally.mean_seconds, tally.max_seconds) == (4.0, 5.0)
    assert tally.retries == 3
    assert tally.causes == {'slipped': 2, 'lying': 1, 'reset_pin_not_found': 1}


def test_a_policy_that_was_cut_off_had_its_reset():
    assert ResetTally([trial(TrialOutcome.FAULTED, execute_seconds=0.4)]).successes == 1


@pytest.mark.parametrize(
    'outcome', [TrialOutcome.INTERRUPTED, TrialOutcome.CANCELED, TrialOutcome.FAULTED]
)
def test_a_reset_that_was_cut_off_says_nothing(outcome):
    assert ResetTally([trial(outcome, reset_seconds=2.0)]).attempts == 0
