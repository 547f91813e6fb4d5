"""What was exported comes back as it was."""

from dataclasses import replace
import json

from hypothesis import given, HealthCheck, settings
from hypothesis import strategies as st
from lerobot_support import assert_same, made_attempt, made_trial
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.improvement.lerobot.export import export_trials
from enpire_nodes.improvement.lerobot.importing import import_trials
from enpire_nodes.improvement.replay_store import ReplayStore

WORDS = st.text(st.characters(exclude_categories=['Cs']), max_size=12)
SECONDS = st.floats(0, 1e9)
VERDICTS = st.sampled_from(['success', 'failure', 'uncertain', 'unset'])
EXECUTIONS = st.sampled_from(['completed', 'timed_out', 'aborted', 'canceled', 'unsafe'])


@st.composite
def some_trials(draw):
    cameras = draw(st.sampled_from([(), ('left',), ('left', 'wrist')]))
    trials = []
    for number in range(draw(st.integers(1, 3))):
        attempts = [
            made_attempt(
                index,
                draw(st.integers(0, 5)),
                seed=draw(st.integers(0, 9)),
                cameras=cameras,
                verdict=draw(VERDICTS),
                execution=draw(EXECUTIONS),
                peak_force=draw(SECONDS),
                depth=draw(st.floats(-1, 1)),
            )
            for index in range(1, 1 + draw(st.integers(0, 3)))
        ]
        trial = made_trial(
            f'2026-01-01_{number}',
            attempts,
            outcome=draw(WORDS),
            controller=draw(WORDS),
            controller_digest=draw(WORDS),
            requester=draw(WORDS),
            commit=draw(WORDS),
            explored=draw(st.booleans()),
            operator_seconds=draw(SECONDS),
            robot_seconds=draw(SECONDS),
            control_rate=20.0,
        )
        trials.append(trial)
    acting = made_trial('z', [made_attempt(1, 2, cameras=cameras)], control_rate=20.0)
    return draw(st.permutations([*trials, acting]))


@settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(some_trials())
def test_a_round_trip_loses_nothing(tmp_path_factory, trials):
    out = tmp_path_factory.mktemp('round') / 'out'
    export_trials(trials, out)
    found = import_trials(out)
    assert found.notes == ()
    for one, other in zip(found.trials, trials, strict=True):
        assert_same(one, other)


def test_an_attempt_without_a_row_is_kept(tmp_path):
    empty = replace(
        made_attempt(2, 0),
        stamps=np.zeros(0),
        features={n: r[:0] for n, r in made_attempt(2, 0).features.items()},
    )
    trial = made_trial('a', [made_attempt(1), empty, made_attempt(3)])
    export_trials([trial], tmp_path / 'out')
    assert_same(next(iter(import_trials(tmp_path / 'out').trials)), trial)


def test_double_precision_comes_back_as_float32(tmp_path):
    attempt = made_attempt()
    double = replace(
        attempt, features={n: r.astype(float) / 3 for n, r in attempt.features.items()}
    )
    export_trials([made_trial('a', [double])], tmp_path / 'out')
    assert_same(next(iter(import_trials(tmp_path / 'out').trials)), made_trial('a', [double]))


def test_what_is_imported_can_be_stored_and_exported_again(tmp_path):
    trials = [made_trial(f't{k}', [made_attempt(1, 3 + k, cameras=['left'])]) for k in range(3)]
    export_trials(trials, tmp_path / 'one')
    store = ReplayStore(tmp_path / 'store')
    for trial in import_trials(tmp_path / 'one').trials:
        store.add(trial)
    export_trials(store, tmp_path / 'two')
    for one, other in zip(import_trials(tmp_path / 'two').trials, trials, strict=True):
        assert_same(one, other)


@pytest.fixture
def dataset(tmp_path):
    attempts = [made_attempt(1, 5, cameras=['left']), made_attempt(2, 3, cameras=['left'])]
    export_trials([made_trial('a', attempts)], tmp_path / 'out')
    return tmp_path / 'out'


def refusal(dataset):
    with pytest.raises(StationError) as raised:
        list(import_trials(dataset).trials)
    assert raised.value.code is ErrorCode.IMPROVEMENT_DATASET_UNUSABLE
    return raised.value.message


def rewrite(path, change):
    pq.write_table(change(pq.read_table(path)), path)


FRAMES = 'data/chunk-000/file-000.parquet'


def test_a_missing_file_is_told(dataset):
    (dataset / FRAMES).unlink()
    assert '0 episodes of 0 frames' in refusal(dataset)


def test_a_damaged_file_is_told(dataset):
    (dataset / FRAMES).write_bytes(b'version https://git-lfs.github.com/spec/v1')
    assert FRAMES in refusal(dataset)


def test_a_shortened_file_is_told(dataset):
    rewrite(dataset / FRAMES, lambda table: table.slice(0, len(table) - 1))
    assert 'changed since' in refusal(dataset)


def test_a_missing_column_is_told(dataset):
    rewrite(dataset / FRAMES, lambda table: table.drop_columns(['enpire.stamp']))
    assert FRAMES in refusal(dataset)


def test_an_episode_too_many_is_told(dataset):
    path = dataset / 'meta/enpire.json'
    about = json.loads(path.read_text())
    about['trials'][0]['attempts'].pop()
    path.write_text(json.dumps(about))
    rewrite(dataset / 'meta/enpire_ends.parquet', lambda table: table.slice(0, 1))
    assert 'changed since' in refusal(dataset)


def test_a_missing_end_is_told(dataset):
    rewrite(dataset / 'meta/enpire_ends.parquet', lambda table: table.slice(0, 1))
    assert 'changed since' in refusal(dataset)
    (dataset / 'meta/enpire_ends.parquet').unlink()
    assert 'enpire_ends.parquet cannot be read' in refusal(dataset)


def test_a_damaged_picture_is_told(dataset):
    name = 'observation.images.left'

    def spoil(table):
        cells = table[name].to_pylist()
        cells[2] = {'bytes': b'nothing', 'path': None}
        place = table.schema.get_field_index(name)
        return table.set_column(place, name, pa.array(cells, table.schema.field(name).type))

    rewrite(dataset / FRAMES, spoil)
    assert 'a picture is damaged' in refusal(dataset)


@pytest.mark.parametrize(
    'change',
    [
        lambda about: about.update(format=99),
        lambda about: about.pop('trials'),
        lambda about: about['trials'][0].update(trial_id='../../escaped'),
        lambda about: about['trials'][0].update(trial_id=''),
        lambda about: about['trials'][0].update(unknown=1),
        lambda about: about['trials'][0]['attempts'][0].update(rows=-1),
        lambda about: about['trials'][0]['attempts'].pop(),
        lambda about: about['trials'][0]['attempts'][0].update(unknown=1),
    ],
)
def test_our_own_file_is_not_trusted(dataset, change):
    path = dataset / 'meta/enpire.json'
    about = json.loads(path.read_text())
    change(about)
    path.write_text(json.dumps(about))
    assert str(dataset) in refusal(dataset)
