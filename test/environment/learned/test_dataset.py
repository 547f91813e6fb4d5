"""What is kept of evidence, what is refused, and who learns from what."""

import dataclasses

import numpy as np
import pytest
from stick_evidence import CROPS, episode

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.environment.learned.dataset import (
    CALIBRATION,
    collect,
    data_digest,
    episode_of,
    pictures,
    SHARES,
    split,
    TRAINING,
    VALIDATION,
)


def test_the_newest_crops_of_each_camera_are_kept(labelled):
    evidence = [episode(seed, label=seed % 2 == 0, frames=5) for seed in range(4)]
    kept = [episode_of(one, CROPS, newest=2) for one in evidence]
    assert len(collect(kept, CROPS, minimum=2)) == 4
    by_source = {one.source: one for one in kept}
    for one in evidence:
        crops = by_source[one.source].crops['front']
        expected = [CROPS['front'](frame.image) for frame in one.frames['front'][-2:]]
        assert np.array_equal(crops, np.stack(expected))


def test_the_order_of_the_evidence_does_not_matter(labelled):
    forward, backward = collect(labelled, CROPS), collect(labelled[::-1], CROPS)
    assert data_digest(forward) == data_digest(backward)
    assert [one.source for one in forward] == [one.source for one in backward]


def test_what_comes_twice_counts_once(labelled):
    assert len(collect([*labelled, *labelled], CROPS)) == len(labelled)


@pytest.mark.parametrize('shown', ['pictures', 'attempt'])
def test_what_has_two_labels_is_refused(labelled, shown):
    other = dataclasses.replace(labelled[3], label=not labelled[3].label)
    if shown == 'pictures':
        other = dataclasses.replace(other, source='another')
    else:
        other = dataclasses.replace(episode(777, label=other.label), source=other.source)
    with pytest.raises(StationError, match=r'made-up 3.*opposites') as caught:
        collect([*labelled, other], CROPS)
    assert caught.value.code is ErrorCode.ENVIRONMENT_UNLABELLED


def test_episodes_without_pictures_do_not_contradict_each_other():
    blind = [
        dataclasses.replace(episode(seed, label=seed % 2 == 0), frames={}) for seed in range(40)
    ]
    assert len(collect(blind, CROPS)) == 40


def test_another_label_is_other_data(labelled):
    other = [episode(119, label=True, success=False), *labelled[:-1]]
    assert data_digest(collect(other, CROPS)) != data_digest(collect(labelled, CROPS))


@pytest.mark.parametrize(
    ('evidence', 'code', 'words'),
    [
        (
            [
                *(episode(seed, label=seed % 2 == 0) for seed in range(60)),
                episode(61, success=True),
            ],
            ErrorCode.ENVIRONMENT_UNLABELLED,
            '1 episode.* made-up 61',
        ),
        (
            [episode(seed, label=True) for seed in range(30)],
            ErrorCode.ENVIRONMENT_ONE_CLASS,
            r'all 30 episodes are successes; record .* failures too',
        ),
        (
            [episode(seed, label=False) for seed in range(30)],
            ErrorCode.ENVIRONMENT_ONE_CLASS,
            r'all 30 .* label successes too, at least 20',
        ),
        (
            [episode(seed, label=seed > 3) for seed in range(30)],
            ErrorCode.ENVIRONMENT_TOO_FEW_EPISODES,
            '26 successes and 4 failures',
        ),
        ([], ErrorCode.ENVIRONMENT_TOO_FEW_EPISODES, '0 successes'),
    ],
)
def test_what_cannot_teach_is_refused(evidence, code, words):
    with pytest.raises(StationError, match=words) as caught:
        collect(evidence, CROPS)
    assert caught.value.code is code


def test_pictures_of_another_camera_are_refused(labelled):
    from enpire_nodes.tasks.eye import Crop

    with pytest.raises(StationError, match='another camera front') as caught:
        collect(labelled, {'front': Crop((320, 240), (0, 0, 64, 64))})
    assert caught.value.code is ErrorCode.ENVIRONMENT_EVIDENCE_UNREADABLE


def test_every_class_and_kind_is_divided_by_episode(labelled):
    episodes = collect(labelled, CROPS)
    parts = split(episodes, 3)
    assert sorted(np.concatenate(parts)) == list(range(len(episodes)))
    for part, share in zip((TRAINING, VALIDATION, CALIBRATION), SHARES):
        for label in (False, True):
            count = sum(episodes[index].label is label for index in parts[part])
            assert abs(count - share * 60) <= 2
    kinds = {one.kind for one in episodes}
    for part in parts:
        assert {episodes[index].kind for index in part} == kinds


def test_the_split_hangs_on_the_seed_alone(labelled):
    episodes = collect(labelled, CROPS)
    first, again, other = split(episodes, 3), split(episodes, 3), split(episodes, 4)
    assert all(np.array_equal(one, two) for one, two in zip(first, again))
    assert not np.array_equal(first[TRAINING], other[TRAINING])


def test_attempts_of_one_trial_are_not_divided():
    made = [
        dataclasses.replace(
            episode(seed, label=seed % 2 == 0), source=f't{seed // 6} attempt {seed}'
        )
        for seed in range(120)
    ]
    episodes = collect(made, CROPS)
    part_of = {}
    for part, indices in enumerate(split(episodes, 1)):
        for index in indices:
            key = (episodes[index].trial, episodes[index].label)
            assert part_of.setdefault(key, part) == part
    assert set(part_of.values()) == {TRAINING, VALIDATION, CALIBRATION}


def test_attempts_of_too_few_trials_are_refused():
    made = [
        dataclasses.replace(
            episode(seed, label=seed % 2 == 0), source=f't{seed % 4} attempt {seed}'
        )
        for seed in range(120)
    ]
    with pytest.raises(StationError, match='2 trials') as caught:
        split(collect(made, CROPS), 1)
    assert caught.value.code is ErrorCode.ENVIRONMENT_TOO_FEW_EPISODES


def test_episodes_without_a_source_are_of_different_trials():
    made = [
        dataclasses.replace(episode(seed, label=seed % 2 == 0), source='') for seed in range(60)
    ]
    assert sum(map(len, split(collect(made, CROPS), 1))) == 60


def test_every_picture_knows_its_episode(labelled):
    episodes = collect(labelled, CROPS)
    crops, labels, owners = pictures(episodes, np.array([3, 7]), 'side')
    assert crops.shape == (6, 32, 32, 3)
    assert list(owners) == [3, 3, 3, 7, 7, 7]
    assert list(labels) == [episodes[index].label for index in owners]
