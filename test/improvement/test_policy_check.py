"""Weights are refused before they come near a robot."""

import numpy as np
import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.improvement.policy_check import check_policy
from enpire_nodes.rollout.controllers.interface import Action

ROWS = [
    {'tcp': np.array([0.1 * row, 0.2, 0.3]), 'image/side': np.full((2, 2, 3), 7, np.uint8)}
    for row in range(5)
]


class Policy:
    """Answers with whatever ``act(self, features)`` gives, and remembers what it saw."""

    def __init__(self, act=lambda self, features: Action(delta=np.zeros(3))):
        self.act, self.contexts, self.seen = act, [], []

    def reset(self, context):
        self.contexts.append(context)
        self.seen.append([])

    def step(self, features):
        self.seen[-1].append(features)
        return self.act(self, features)


@pytest.mark.parametrize(
    'answer',
    [
        Action(delta=np.zeros(3)),
        Action(position=np.ones(3)),
        Action(done=True),
        np.zeros(3),
        [0.0, 0.001, 0.0],
    ],
)
def test_a_sound_policy_passes(answer):
    check_policy(Policy(lambda self, features: answer), ROWS)


@pytest.mark.parametrize(
    ('answer', 'said'),
    [
        (np.array([0.0, np.nan, 0.0]), 'finite'),
        (Action(delta=np.array([np.inf, 0.0, 0.0])), 'finite'),
        (np.zeros(2), r'\(3,\)|3 numbers|shape'),
        (np.zeros((1, 3)), r'\(3,\)|3 numbers|shape'),
        (None, 'returned None'),
        ('left', 'no array'),
    ],
)
def test_an_action_that_is_none_is_refused(answer, said):
    with pytest.raises(StationError, match=said) as caught:
        check_policy(Policy(lambda self, features: answer), ROWS)
    assert caught.value.code == ErrorCode.IMPROVEMENT_POLICY_REFUSED


def test_what_it_raises_is_told():
    with pytest.raises(StationError, match="raised KeyError: 'tip'") as caught:
        check_policy(Policy(lambda self, features: features['tip']), ROWS)
    assert caught.value.code == ErrorCode.IMPROVEMENT_POLICY_REFUSED


def test_a_fault_at_the_start_of_an_attempt_is_found():
    class Second(Policy):
        def reset(self, context):
            super().reset(context)
            self.left = 1 / (2 - context.attempt)

    policy = Second()
    with pytest.raises(StationError, match='ZeroDivisionError'):
        check_policy(policy, ROWS)


def test_the_second_attempt_sees_disturbed_rows_and_explores():
    policy = Policy()
    check_policy(policy, ROWS)
    first, second = policy.seen
    assert [context.attempt for context in policy.contexts] == [1, 2]
    assert [context.explore for context in policy.contexts] == [False, True]
    for row, clean, noisy in zip(ROWS, first, second, strict=True):
        np.testing.assert_array_equal(clean['tcp'], row['tcp'])
        assert np.all(noisy['tcp'][row['tcp'] != 0] != row['tcp'][row['tcp'] != 0])
        assert noisy['tcp'].shape == (3,)
        np.testing.assert_array_equal(noisy['image/side'], row['image/side'])


def test_a_fault_that_only_disturbed_rows_show_is_found():
    def act(self, features):
        return np.zeros(3) if features['tcp'][1] == 0.2 else np.full(3, np.nan)

    with pytest.raises(StationError, match='finite'):
        check_policy(Policy(act), ROWS)


def test_rows_that_can_be_read_once_are_shown_twice():
    policy = Policy()
    check_policy(policy, iter(ROWS))
    assert [len(seen) for seen in policy.seen] == [5, 5]


def test_the_recorded_rows_are_left_as_they_were():
    before = [row['tcp'].copy() for row in ROWS]
    check_policy(Policy(), ROWS)
    np.testing.assert_array_equal(before, [row['tcp'] for row in ROWS])
