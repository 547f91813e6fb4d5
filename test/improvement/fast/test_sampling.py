"""Transitions in one block: what goes in comes out, as often as it should."""

import pytest
import torch

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.improvement.fast.sampling import Batch, ReplayTensor, sample_mixed


def _transitions(first, count):
    number = torch.arange(first, first + count, dtype=torch.float32)
    return Batch(
        number[:, None] + torch.tensor([0.0, 0.1, 0.2]),
        number[:, None] + torch.tensor([0.3, 0.4]),
        number + 0.5,
        number[:, None] + torch.tensor([0.6, 0.7, 0.8]),
        number + 0.9,
    )


def _replay(capacity, first, count):
    replay = ReplayTensor(capacity, 3, 2)
    replay.add(_transitions(first, count))
    return replay


def test_fields_of_a_transition_stay_together():
    replay = _replay(10, 0, 7)

    rows = replay.sample(4, 50)
    batch = replay.split(rows)

    assert rows.shape == (4, 50, 10)
    number = batch.reward - 0.5
    assert set(number.flatten().round().tolist()) == set(range(7))
    for found, expected in zip(batch, _transitions(0, 7), strict=True):
        assert torch.equal(found, expected[number.round().long()])


def test_oldest_are_replaced():
    replay = _replay(5, 0, 4)
    replay.add(_transitions(4, 3))

    assert len(replay) == 5
    numbers = replay.split(replay.sample(1, 400)).reward - 0.5
    assert set(numbers.flatten().round().tolist()) == {2.0, 3.0, 4.0, 5.0, 6.0}


def test_more_than_the_capacity_keeps_the_last():
    numbers = _replay(5, 0, 12).sample(1, 400)[..., 5] - 0.5

    assert set(numbers.flatten().round().tolist()) == {7.0, 8.0, 9.0, 10.0, 11.0}


def test_same_generator_draws_the_same():
    replay = _replay(100, 0, 100)

    one, other = (replay.sample(2, 8, torch.Generator().manual_seed(3)) for _ in range(2))

    assert torch.equal(one, other)


def test_mixed_batches_have_their_share_of_each():
    online, demonstrations = _replay(50, 0, 50), _replay(50, 1000, 50)

    rows = sample_mixed([(online, 6), (demonstrations, 2)], 5)

    assert rows.shape == (5, 8, 10)
    assert ((rows[..., 5] > 999.0).sum(1) == 2).all()
    assert sample_mixed([(online, 6), (demonstrations, 0)], 5).shape == (5, 6, 10)


def test_nothing_to_draw_from_is_said():
    with pytest.raises(StationError) as caught:
        ReplayTensor(5, 3, 2).sample(1, 1)
    assert caught.value.code == ErrorCode.IMPROVEMENT_REPLAY_UNREADABLE


def test_figure_that_is_not_finite_is_refused_and_nothing_kept():
    replay = ReplayTensor(5, 3, 2)
    batch = _transitions(0, 3)
    batch.reward[1] = float('nan')

    with pytest.raises(StationError, match='not finite'):
        replay.add(batch)
    assert len(replay) == 0
