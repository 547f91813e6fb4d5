"""What was learned from is on record, and is not measured."""

from dataclasses import replace

import pytest
from stick_evidence import CROPS, episode

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.environment.learned.dataset import episode_of
from enpire_nodes.environment.learned.held_out import learned_from, require_held_out


def kept(seed, source, label=True):
    return episode_of(replace(episode(seed, label=label), source=source), CROPS)


ABOUT = {'learned': learned_from([kept(1, 't1 attempt 1'), kept(2, 'simulated in 7')])}


def test_other_trials_and_other_seeds_pass():
    require_held_out(ABOUT, {'a': kept(3, 't2 attempt 1')}, ['simulated in 8'])


@pytest.mark.parametrize(
    ('recorded', 'simulated', 'words'),
    [
        ({'a.npz': kept(3, 't1 attempt 2')}, [], r'1 episodes .* a.npz \(t1 attempt 2\)'),
        ({'b.npz': kept(1, 'renamed')}, [], r'b.npz \(renamed\)'),
        ({'c.npz': kept(9, 'simulated in 7')}, [], 'c.npz'),
        ({}, ['simulated in 6', 'simulated in 7'], 'simulated in 7'),
    ],
)
def test_what_was_learned_is_refused(recorded, simulated, words):
    with pytest.raises(StationError, match=words) as caught:
        require_held_out(ABOUT, recorded, simulated)
    assert caught.value.code is ErrorCode.ENVIRONMENT_NOT_ACCEPTED


def test_another_label_hides_nothing():
    shown = episode(1, label=True)
    other = episode_of(replace(shown, source='renamed', label=False), CROPS)
    with pytest.raises(StationError, match='renamed'):
        require_held_out(ABOUT, {'a': other}, [])


def test_weights_that_do_not_say_what_they_learned_from_are_refused():
    with pytest.raises(StationError, match='environment fit') as caught:
        require_held_out({}, {}, [])
    assert caught.value.code is ErrorCode.ENVIRONMENT_WEIGHTS_UNUSABLE
