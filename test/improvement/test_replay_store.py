"""Recorded trials on the disk: nothing is lost, and damage is told."""

import contextlib
import errno
import os
import tempfile

from hypothesis import given, settings
from hypothesis import strategies as st
from lerobot_support import assert_same, made_attempt, made_trial
import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.improvement.replay_store import ReplayStore

NAMES = st.text('abcdefghij_/ ', min_size=1, max_size=6)
WORDS = st.text(max_size=8).filter(lambda text: text.isprintable())
ATTEMPTS = st.lists(
    st.builds(
        dict,
        steps=st.integers(0, 4),
        seed=st.integers(0, 9),
        cameras=st.lists(st.sampled_from(['front', 'side', 'left wrist']), unique=True),
        side=st.integers(1, 3),
        sizes=st.dictionaries(NAMES, st.integers(0, 4), max_size=3),
        verdict=st.sampled_from(['success', 'failure', 'uncertain', 'unset']),
        execution=st.sampled_from(['completed', 'timed_out', 'aborted', 'canceled', 'unsafe']),
        peak_force=st.floats(0, 1e3),
        depth=st.floats(0, 1),
    ),
    max_size=12,
)
TRIALS = st.builds(
    made_trial,
    trial_id=st.from_regex('[a-zA-Z0-9][a-zA-Z0-9_.-]{0,10}', fullmatch=True),
    attempts=ATTEMPTS.map(
        lambda several: [made_attempt(index, **one) for index, one in enumerate(several, 1)]
    ),
    outcome=st.sampled_from(['success', 'failure', 'faulted', 'reset_failed']),
    controller=WORDS,
    controller_digest=WORDS,
    requester=WORDS,
    commit=WORDS,
    explored=st.booleans(),
    operator_seconds=st.floats(0, 1e4),
    robot_seconds=st.floats(0, 1e4),
    control_rate=st.floats(1, 100),
)


@pytest.fixture
def store(tmp_path):
    return ReplayStore(tmp_path / 'replay')


@settings(max_examples=40, deadline=None)
@given(trial=TRIALS)
def test_what_comes_back_is_what_was_kept(trial):
    with tempfile.TemporaryDirectory() as folder:
        store = ReplayStore(folder)
        store.add(trial)
        assert trial.trial_id in store
        assert_same(store.load(trial.trial_id), trial)
        assert store.ids() == [trial.trial_id]


def test_before_the_first_trial_there_is_nothing_not_even_the_folder(store):
    assert store.ids() == list(store) == []
    assert len(store) == 0
    assert 'trial_1' not in store
    assert not store.directory.exists()


def test_trials_come_in_the_order_in_which_they_were_written(store):
    for second, name in enumerate(('c', 'a', 'b')):
        path = store.add(made_trial(name))
        os.utime(path, (second, second))
    assert store.ids() == ['c', 'a', 'b']
    assert [trial.trial_id for trial in store] == ['c', 'a', 'b']
    assert len(store) == 3


def test_a_trial_is_replaced_and_not_doubled(store):
    store.add(made_trial(outcome='faulted'))
    store.add(made_trial(outcome='success'))
    assert [trial.outcome for trial in store] == ['success']


def test_files_that_are_being_written_are_not_trials(store):
    store.add(made_trial())
    (store.directory / '.trial_2.npz').write_bytes(b'half')
    assert len(store) == 1


def unreadable(store, name='trial_000'):
    with pytest.raises(StationError) as caught:
        store.load(name)
    assert caught.value.code == ErrorCode.IMPROVEMENT_REPLAY_UNREADABLE
    assert str(store.directory / name) in caught.value.message


def test_a_missing_trial_is_named(store):
    unreadable(store)


@pytest.mark.parametrize('share', [0.0, 0.01, 0.5, 0.99])
def test_a_file_that_breaks_off_is_named(store, share):
    path = store.add(made_trial())
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    unreadable(store)


def test_no_flipped_bit_is_an_error_of_another_kind(store):
    trial = made_trial(attempts=[made_attempt(steps=2, cameras=('side',), side=2)])
    path = store.add(trial)
    whole, sound = path.read_bytes(), 0
    for position in range(0, len(whole), 3):
        data = bytearray(whole)
        data[position] ^= 1 << position % 8
        path.write_bytes(data)
        with contextlib.suppress(StationError):
            store.load('trial_000')
            sound += 1
    assert sound < len(whole) // 6  # times and attributes in a zip file may be anything


@pytest.mark.parametrize('content', [b'', b'PK', b'\x93NUMPY\x01\x00', b'no archive at all'])
def test_something_else_is_named(store, content):
    path = store.add(made_trial())
    path.write_bytes(content)
    unreadable(store)


def test_a_full_disk_is_an_os_error_and_leaves_what_was_there(store, monkeypatch):
    before = made_trial(outcome='faulted')
    store.add(before)
    whole = sorted(store.directory.iterdir())

    def full(descriptor):
        raise OSError(errno.ENOSPC, 'No space left on device')

    monkeypatch.setattr(os, 'fsync', full)
    for trial in (made_trial(outcome='success'), made_trial('trial_001')):
        with pytest.raises(OSError, match='No space left'):
            store.add(trial)
    assert sorted(store.directory.iterdir()) == whole
    assert_same(store.load('trial_000'), before)
