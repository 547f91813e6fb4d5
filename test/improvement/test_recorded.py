"""What is said of a recorded trial, beside its numbers."""

from lerobot_support import made_attempt, made_trial
import numpy as np
import pytest

from enpire_nodes.common.errors import ErrorCode, StationError


def test_an_attempt_has_one_row_more_than_steps():
    assert made_attempt(steps=4).steps == 4
    assert made_attempt(steps=0).steps == 0
    assert made_trial(attempts=[made_attempt(1, 4), made_attempt(2, 3)]).steps == 7
    assert made_trial(attempts=[]).steps == 0


@pytest.mark.parametrize(
    ('execution', 'aborted', 'timed_out'),
    [
        ('completed', False, False),
        ('timed_out', False, True),
        ('aborted', True, False),
        ('canceled', True, False),
        ('unsafe', True, False),
    ],
)
def test_only_a_policys_own_end_says_something_of_it(execution, aborted, timed_out):
    attempt = made_attempt(execution=execution)
    assert (attempt.aborted, attempt.timed_out) == (aborted, timed_out)


def test_a_trial_succeeds_by_its_outcome_and_an_attempt_by_its_verdict():
    failed = made_attempt(verdict='failure')
    trial = made_trial(attempts=[failed], outcome='success')
    assert trial.success
    assert not failed.success
    assert not made_trial(outcome='faulted').success


def test_pictures_are_stacked_in_the_order_of_the_cameras_names():
    attempt = made_attempt(cameras=('wrist', 'front'), side=8)
    pictures = attempt.pictures(8)
    assert pictures.shape == (5, 2, 8, 8, 3)
    np.testing.assert_array_equal(pictures[:, 0], attempt.images['front'])
    np.testing.assert_array_equal(pictures[:, 1], attempt.images['wrist'])


@pytest.mark.parametrize(('cameras', 'said'), [((), 'no pictures'), (('front',), r'\(8, 8, 3\)')])
def test_pictures_that_are_not_there_are_named(cameras, said):
    with pytest.raises(StationError, match=said) as caught:
        made_attempt(cameras=cameras, side=8).pictures(64)
    assert caught.value.code == ErrorCode.IMPROVEMENT_DATA_MISSING
    assert 'observation.images is 64 px' in caught.value.message
