"""Each way to fail is named."""

from motion_support import attempt_record, rows, trial_record, vote, without
import numpy as np
import pytest

from enpire_nodes.evolution.accounts.motion import Motion
from enpire_nodes.evolution.accounts.reasons import attempt_reason, why
from enpire_nodes.rollout.records import Execution, TrialOutcome, VerdictOutcome

AIR, PRESS = [(0, 0, 0), (0, 0, 0.5)], [(0, 0, 0), (0, 0, 20), (0, 0, 20)]
AT_RIM = [(0.002, 0, 0.03), (0.002, 0, 0.0), (0.002, 0, 0.0), (0.002, 0, 0.0)]


def said(tip, force, record=None, **changes):
    motion = Motion.of(rows(tip, force, **changes))
    return attempt_reason('no_such_task', record or attempt_record(), motion)


def test_it_never_touched():
    words = said([(0.002, 0, 0.03), (0.002, 0, 0.004)], AIR)
    assert words == 'it never touched anything; it came down to 4.0 mm above the goal'


def test_it_jammed():
    words = said(AT_RIM, PRESS)
    assert 'touched 2.0 mm off (+2.0 x, +0.0 y)' in words
    assert 'jammed: pushed with 20 N' in words


def test_it_slid_past():
    words = said(
        [(0.004, 0, 0.01), (0.004, 0, 0), (-0.006, 0, 0)], [(0, 0, 0), (0, 0, 6), (0, 0, 4)]
    )
    assert 'and slid past, to 6.0 mm' in words


def test_it_was_pushed_up_in_the_fingers():
    words = said([(0.006, 0, 0.03), (0.006, 0, -0.012)], [(0, 0, 0), (0, 0, 9)])
    assert 'pushed up in the fingers by about 11 mm' in words


def test_it_slipped_out_of_the_fingers():
    words = said(AT_RIM, PRESS, gripper=lambda time: np.array([0.011 - 0.008 * time, 20.0]))
    assert 'slipped out of the fingers, which closed by 8 mm' in words


def test_it_stands_askew_as_the_judges_say():
    votes = (vote('camera/side', VerdictOutcome.FAILURE, 'depth -3 mm, tilted 41 deg'),)
    assert 'askew, by 41 deg' in said(AT_RIM, PRESS, attempt_record(votes=votes))


def test_the_judges_disagree():
    votes = (vote('camera/side', VerdictOutcome.SUCCESS), vote('force', VerdictOutcome.FAILURE))
    record = attempt_record(verdict=VerdictOutcome.UNCERTAIN, votes=votes)
    words = said(AT_RIM, PRESS, record)
    assert 'the judges disagree (camera/side success, force failure)' in words


@pytest.mark.parametrize(
    ('execution', 'words'),
    [
        (Execution.UNSAFE, 'stopped by the safety gate: too hard'),
        (Execution.ABORTED, 'the policy did not get to its end: too hard'),
        (Execution.TIMED_OUT, 'its time was up'),
    ],
)
def test_how_it_ended_is_told(execution, words):
    record = attempt_record(execution=execution, message='too hard')
    assert words in said(AT_RIM, PRESS, record)


def test_the_record_alone_is_enough_for_something():
    assert attempt_reason('no_such_task', attempt_record(message='odd'), None) == 'odd'
    bare = Motion.of(without(rows(AT_RIM, PRESS), 'tip', 'tcp', 'force', 'gripper', 'target'))
    assert attempt_reason('no_such_task', attempt_record(message='odd'), bare) == 'odd'


def test_infrastructure_is_not_held_against_the_policy():
    record = trial_record(outcome=TrialOutcome.RESET_FAILED, message='no pin')
    assert 'not the policy: the scene could not be reset: no pin' in why(record, {})
    assert why(trial_record(outcome=TrialOutcome.SUCCESS), {}) == ''
