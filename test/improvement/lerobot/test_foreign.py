"""Datasets of others, as demonstrations."""

import json

from lerobot_support import made_attempt, made_trial
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.improvement.lerobot.export import export_trials
from enpire_nodes.improvement.lerobot.importing import import_trials
from enpire_nodes.improvement.lerobot.pictures import as_cells, encode

LENGTHS = (4, 6)


def foreign(folder, *, columns=None, features=None, drop=(), width=3):
    """Write what another tool might have written: two episodes in two files."""
    rng = np.random.default_rng(3)
    described = {
        'observation.state': {'dtype': 'float32', 'shape': [2], 'names': ['x', 'y']},
        'action': {'dtype': 'float32', 'shape': [width], 'names': None},
        'timestamp': {'dtype': 'float32', 'shape': [1], 'names': None},
        'episode_index': {'dtype': 'int64', 'shape': [1], 'names': None},
        **(features or {}),
    }
    made = {'action': [], 'observation.state': []}
    for episode, length in enumerate(LENGTHS):
        table = {
            'observation.state': rng.normal(size=(length, 2)).astype('f4'),
            'action': rng.normal(size=(length, width)).astype('f4'),
            'timestamp': (np.arange(length) / 10).astype('f4'),
            'episode_index': np.full(length, episode),
        }
        for name in made:
            made[name].append(table[name])
        table |= {name: make(episode, length) for name, make in (columns or {}).items()}
        written = pa.table({k: list(v) for k, v in table.items() if k not in drop})
        path = folder / f'data/chunk-000/file-{episode:03d}.parquet'
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(written, path)
    (folder / 'meta').mkdir()
    info = {
        'codebase_version': 'v3.0',
        'fps': 10,
        'features': {k: v for k, v in described.items() if k not in drop},
        'total_episodes': len(LENGTHS),
        'total_frames': sum(LENGTHS),
    }
    (folder / 'meta/info.json').write_text(json.dumps(info))
    return made


def one_flag(value):
    return lambda episode, length: np.arange(length) == (length - 1 if value(episode) else -1)


FLAG = {'dtype': 'bool', 'shape': [1], 'names': None}
NUMBER = {'dtype': 'float32', 'shape': [1], 'names': None}


def test_an_episode_is_a_demonstration_of_one_attempt(tmp_path):
    made = foreign(tmp_path)
    found = import_trials(tmp_path)
    trials = list(found.trials)
    assert any('each is taken as a success' in note for note in found.notes)
    assert any('sum of the actions' in note for note in found.notes)
    assert len({trial.trial_id for trial in trials}) == 2
    for trial, actions, states in zip(trials, made['action'], made['observation.state']):
        assert (trial.controller, trial.outcome, trial.control_rate) == ('lerobot', 'success', 10)
        (attempt,) = trial.attempts
        assert (attempt.verdict, attempt.execution) == ('success', 'completed')
        assert attempt.steps == len(actions)
        assert set(attempt.features) == {'state', 'target'}
        target = attempt.features['target']
        np.testing.assert_array_equal(target[0], 0)
        np.testing.assert_allclose(np.diff(target, axis=0), actions, atol=1e-5)
        wanted = np.vstack([states, states[-1:]])
        np.testing.assert_array_equal(attempt.features['state'], wanted)
        np.testing.assert_allclose(np.diff(attempt.stamps), 0.1, atol=1e-6)


def test_success_and_truncation_are_read_where_they_are_told(tmp_path):
    foreign(
        tmp_path,
        columns={
            'next.success': one_flag(lambda episode: episode == 1),
            'next.truncated': one_flag(lambda episode: episode == 0),
        },
        features={'next.success': FLAG, 'next.truncated': FLAG},
    )
    found = import_trials(tmp_path)
    assert not any('success' in note for note in found.notes)
    attempts = [trial.attempts[0] for trial in found.trials]
    assert [attempt.verdict for attempt in attempts] == ['failure', 'success']
    assert [attempt.execution for attempt in attempts] == ['timed_out', 'completed']


def test_a_reward_of_one_is_a_success(tmp_path):
    rewards = {'next.reward': lambda episode, length: np.full(length, [0.9, 1.0][episode], 'f4')}
    foreign(tmp_path, columns=rewards, features={'next.reward': NUMBER})
    found = import_trials(tmp_path)
    assert any('reward reaches 1' in note for note in found.notes)
    assert [trial.outcome for trial in found.trials] == ['failure', 'success']


@pytest.mark.parametrize('width', [2, 6, 7])
def test_actions_that_are_no_displacements_are_refused(tmp_path, width):
    foreign(tmp_path, width=width)
    with pytest.raises(StationError, match=rf'\[{width}\], not \[3\]') as raised:
        import_trials(tmp_path)
    assert raised.value.code is ErrorCode.IMPROVEMENT_DATASET_UNUSABLE


def test_a_dataset_without_actions_is_refused(tmp_path):
    foreign(tmp_path, drop=('action',))
    with pytest.raises(StationError, match=r'not \[3\]'):
        import_trials(tmp_path)


def test_a_dataset_without_state_or_timestamps_has_the_target_alone(tmp_path):
    foreign(tmp_path, drop=('observation.state', 'timestamp'))
    found = import_trials(tmp_path)
    attempt = next(iter(found.trials)).attempts[0]
    assert set(attempt.features) == {'target'}
    np.testing.assert_allclose(np.diff(attempt.stamps), 0.1)
    assert any('the only feature' in note for note in found.notes)


def test_names_of_our_features_are_understood(tmp_path):
    attempt = made_attempt(1, 5, verdict='failure', execution='timed_out')
    export_trials([made_trial('a', [attempt])], tmp_path / 'out')
    (tmp_path / 'out/meta/enpire.json').unlink()
    found = import_trials(tmp_path / 'out')
    (trial,) = found.trials
    assert trial.trial_id.startswith('lerobot_out_')
    (again,) = trial.attempts
    assert (again.verdict, again.execution) == ('failure', 'timed_out')
    np.testing.assert_allclose(again.features['target'], attempt.features['target'], atol=1e-6)
    for name in ('tcp', 'force', 'elapsed'):
        np.testing.assert_array_equal(again.features[name][:-1], attempt.features[name][:-1])
        np.testing.assert_array_equal(again.features[name][-1], attempt.features[name][-2])


def test_square_pictures_are_read_and_others_named(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (max(LENGTHS), 8, 8, 3), dtype=np.uint8)
    foreign(
        tmp_path,
        columns={
            'observation.images.left': lambda _, n: as_cells(encode(images[:n])),
            'observation.images.wide': lambda _, n: as_cells(encode(images[:n, :4])),
        },
        features={
            'observation.images.left': {'dtype': 'image', 'shape': [8, 8, 3], 'names': None},
            'observation.images.wide': {'dtype': 'image', 'shape': [4, 8, 3], 'names': None},
            'observation.images.top': {'dtype': 'video', 'shape': [8, 8, 3], 'names': None},
        },
    )
    found = import_trials(tmp_path)
    for name in ('wide', 'top'):
        assert any(f'observation.images.{name} is left out' in note for note in found.notes)
    attempt = next(iter(found.trials)).attempts[0]
    assert set(attempt.images) == {'left'}
    np.testing.assert_array_equal(attempt.images['left'][:-1], images[: LENGTHS[0]])
    assert len(attempt.images['left']) == LENGTHS[0] + 1


def test_values_that_are_not_finite_are_told(tmp_path):
    foreign(tmp_path, columns={'observation.state': lambda _, n: np.full((n, 2), np.nan, 'f4')})
    with pytest.raises(StationError, match=r'episode 0: .*observation\.state is not finite'):
        list(import_trials(tmp_path).trials)


def test_a_column_of_another_type_is_told(tmp_path):
    foreign(tmp_path, columns={'observation.state': lambda _, n: ['words'] * n})
    with pytest.raises(StationError, match='episode 0: '):
        list(import_trials(tmp_path).trials)


def test_datasets_of_one_name_do_not_share_identifiers(tmp_path):
    for number in (1, 2):
        foreign(tmp_path / str(number) / 'pins')
        info = tmp_path / str(number) / 'pins/meta/info.json'
        info.write_text(info.read_text().replace('"fps": 10', f'"fps": {10 * number}'))
    found = [next(iter(import_trials(tmp_path / n / 'pins').trials)).trial_id for n in '12']
    assert found[0] != found[1]


def test_a_missing_file_is_told(tmp_path):
    foreign(tmp_path)
    (tmp_path / 'data/chunk-000/file-001.parquet').unlink()
    with pytest.raises(StationError, match='1 episodes of 4 frames'):
        list(import_trials(tmp_path).trials)


def test_episodes_that_are_out_of_order_are_told(tmp_path):
    foreign(tmp_path)
    (tmp_path / 'data/chunk-000/file-000.parquet').unlink()
    with pytest.raises(StationError, match='episode 1 is where 0 is expected'):
        list(import_trials(tmp_path).trials)
