"""What lies in a dataset, and that it is there whole or not at all."""

import errno
import json

from lerobot_support import made_attempt, made_trial, SIZES
import numpy as np
import pyarrow.parquet as pq
import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.improvement.lerobot import export as module
from enpire_nodes.improvement.lerobot import tables
from enpire_nodes.improvement.lerobot.export import export_trials, Exported


@pytest.fixture
def out(tmp_path):
    return tmp_path / 'data' / 'pins'


def refusal(trials, out, **more):
    with pytest.raises(StationError) as raised:
        export_trials(trials, out, **more)
    assert raised.value.code is ErrorCode.IMPROVEMENT_DATASET_UNUSABLE
    return raised.value.message


def frames_of(out):
    return pq.read_table(out / 'data/chunk-000/file-000.parquet')


def test_an_attempt_is_an_episode_of_as_many_frames_as_actions(out):
    trials = [
        made_trial('a', [made_attempt(1, 5), made_attempt(2, 3)]),
        made_trial('b', [made_attempt(1, 0)]),
        made_trial('c', []),
    ]
    assert export_trials(trials, out) == Exported(trials=3, episodes=2, frames=8)
    info = json.loads((out / 'meta/info.json').read_text())
    assert (info['codebase_version'], info['fps']) == ('v3.0', 30)
    assert (info['total_episodes'], info['total_frames']) == (2, 8)
    table = frames_of(out)
    assert set(table.column_names) == set(info['features'])
    assert table['index'].to_pylist() == list(range(8))
    assert table['episode_index'].to_pylist() == [0] * 5 + [1] * 3
    assert table['frame_index'].to_pylist() == [0, 1, 2, 3, 4, 0, 1, 2]
    np.testing.assert_allclose(table['timestamp'].to_numpy()[:5], np.arange(5) / 30, rtol=1e-6)


def test_actions_are_the_steps_of_the_target_and_the_state_is_named(out):
    trial = made_trial()
    export_trials([trial], out)
    described = json.loads((out / 'meta/info.json').read_text())['features']
    names = described['observation.state']['names']
    table = frames_of(out)
    state = np.array(table['observation.state'].to_pylist())
    target = trial.attempts[0].features['target']
    for axis in range(3):
        np.testing.assert_array_equal(state[:, names.index(f'target.{axis}')], target[:-1, axis])
    np.testing.assert_array_equal(np.array(table['action'].to_pylist()), np.diff(target, axis=0))
    assert len(names) == sum(SIZES.values())


@pytest.mark.parametrize(
    ('verdict', 'execution', 'reward', 'truncated'),
    [
        ('success', 'completed', 1.0, False),
        ('failure', 'completed', 0.0, False),
        ('failure', 'timed_out', 0.0, True),
        ('unset', 'aborted', 0.0, True),
        ('uncertain', 'unsafe', 0.0, True),
    ],
)
def test_the_last_frame_says_how_it_ended(out, verdict, execution, reward, truncated):
    export_trials([made_trial('a', [made_attempt(verdict=verdict, execution=execution)])], out)
    table = frames_of(out)
    assert table['next.reward'].to_pylist() == [0, 0, 0, reward]
    assert table['next.success'].to_pylist() == [False, False, False, verdict == 'success']
    assert table['next.truncated'].to_pylist() == [False, False, False, truncated]
    assert table['next.done'].to_pylist() == [False, False, False, True]


def test_episodes_are_marked_by_trial_and_verdict_and_tell_where_they_lie(out):
    trials = [
        made_trial('a', [made_attempt(1, 5, verdict='failure'), made_attempt(2, 3)]),
        made_trial('b', [made_attempt(1, 2, execution='aborted')], explored=True, commit='f00'),
    ]
    export_trials(trials, out, task='insert the pin')
    found = pq.read_table(out / 'meta/episodes/chunk-000/file-000.parquet').to_pylist()
    assert [row['enpire/trial_id'] for row in found] == ['a', 'a', 'b']
    assert [row['enpire/attempt'] for row in found] == [1, 2, 1]
    assert [row['enpire/verdict'] for row in found] == ['failure', 'success', 'success']
    assert [row['enpire/execution'] for row in found] == ['completed', 'completed', 'aborted']
    assert [row['enpire/explored'] for row in found] == [False, False, True]
    assert [row['enpire/commit'] for row in found] == ['', '', 'f00']
    ranges = [(row['dataset_from_index'], row['dataset_to_index']) for row in found]
    assert ranges == [(0, 5), (5, 8), (8, 10)]
    assert [row['length'] for row in found] == [5, 3, 2]
    assert all(row['tasks'] == ['insert the pin'] for row in found)
    task = pq.read_table(out / 'meta/tasks.parquet').to_pylist()
    assert task == [{'task_index': 0, 'task': 'insert the pin'}]


def test_time_is_counted_in_control_periods_of_the_recorded_rate(out):
    export_trials([made_trial(control_rate=20.0)], out)
    assert json.loads((out / 'meta/info.json').read_text())['fps'] == 20
    np.testing.assert_allclose(frames_of(out)['timestamp'].to_numpy(), np.arange(4) / 20)


def test_statistics_are_those_of_all_frames_and_of_each_episode(out):
    attempts = [made_attempt(1, 7, cameras=['left']), made_attempt(2, 4, cameras=['left'])]
    export_trials([made_trial('a', attempts)], out)
    stats = json.loads((out / 'meta/stats.json').read_text())
    info = json.loads((out / 'meta/info.json').read_text())
    assert set(stats) == set(info['features'])
    actions = np.concatenate([np.diff(a.features['target'], axis=0) for a in attempts])
    np.testing.assert_allclose(stats['action']['mean'], actions.mean(axis=0), rtol=1e-4)
    np.testing.assert_allclose(stats['action']['std'], actions.std(axis=0), rtol=1e-4)
    assert stats['action']['count'] == [11]
    images = np.concatenate([a.images['left'][:-1] for a in attempts]) / 255
    shown = stats['observation.images.left']
    np.testing.assert_allclose(np.ravel(shown['mean']), images.mean(axis=(0, 1, 2)))
    np.testing.assert_allclose(np.ravel(shown['std']), images.std(axis=(0, 1, 2)))
    assert (np.shape(shown['mean']), shown['count']) == ((3, 1, 1), [11])
    episodes = pq.read_table(out / 'meta/episodes/chunk-000/file-000.parquet').to_pylist()
    np.testing.assert_allclose(episodes[1]['stats/action/min'], actions[7:].min(axis=0))
    assert episodes[1]['stats/observation.images.left/count'] == [4]


def test_the_spread_of_a_clock_is_not_lost_in_its_size(out):
    export_trials([made_trial()], out)
    stats = json.loads((out / 'meta/stats.json').read_text())['enpire.stamp']
    stamps = made_attempt().stamps[:-1]
    assert stats['std'][0] == pytest.approx((stamps - stamps[0]).std(), rel=1e-4)


def test_a_full_file_is_followed_by_another(out, monkeypatch):
    monkeypatch.setattr(module.tables, 'FrameFiles', small_files(2_000))
    trials = [made_trial(f't{k}', [made_attempt(1, 9, seed=k)]) for k in range(5)]
    export_trials(trials, out)
    files = sorted(path.name for path in (out / 'data/chunk-000').iterdir())
    assert len(files) > 1
    rows = pq.read_table(out / 'meta/episodes/chunk-000/file-000.parquet').to_pylist()
    for row in rows:
        path = out / f'data/chunk-000/file-{row["data/file_index"]:03d}.parquet'
        assert row['episode_index'] in pq.read_table(path)['episode_index'].to_pylist()


def small_files(limit):
    class Small(tables.FrameFiles):
        def __init__(self, dataset, described):
            super().__init__(dataset, described, limit=limit)

    return Small


def test_what_is_there_is_not_overwritten(out):
    out.mkdir(parents=True)
    assert 'there already' in refusal([made_trial()], out)
    assert list(out.iterdir()) == []


def test_nothing_is_left_of_an_export_that_failed(out):
    def trials():
        yield made_trial()
        raise StationError(ErrorCode.RUNNER_INTERNAL, 'the source broke')

    with pytest.raises(StationError, match='the source broke'):
        export_trials(trials(), out)
    assert list(out.parent.iterdir()) == []


def test_a_full_disk_is_told_and_leaves_nothing(out, monkeypatch):
    def full(*args):
        raise OSError(errno.ENOSPC, 'No space left on device')

    monkeypatch.setattr(tables, 'write_ends', full)
    assert 'No space left' in refusal([made_trial()], out)
    assert list(out.parent.iterdir()) == []


def test_the_folder_appears_only_when_it_is_whole(out, monkeypatch):
    seen = []

    def look(*args):
        seen.append(out.exists())

    monkeypatch.setattr(module, '_sync', look)
    export_trials([made_trial()], out)
    assert seen
    assert not any(seen)
    assert [path.name for path in out.parent.iterdir()] == ['pins']


@pytest.mark.parametrize(
    'trials', [[], [made_trial('a', [])], [made_trial('a', [made_attempt(1, 0)])]]
)
def test_nothing_to_export_is_refused(out, trials):
    assert 'nothing to export' in refusal(trials, out)


def test_trials_that_do_not_fit_together_are_refused_by_name(out):
    other = made_attempt(sizes={'tcp': 3, 'target': 3})
    assert 'trial b attempt 1' in refusal([made_trial(), made_trial('b', [other])], out)


def test_pictures_of_some_trials_alone_are_refused_or_left_out(out):
    mixed = [made_trial('a', [made_attempt(cameras=['left'])]), made_trial('b')]
    assert 'without pictures' in refusal(mixed, out)
    export_trials(mixed, out, pictures=False)
    assert not any('image' in name for name in frames_of(out).column_names)
