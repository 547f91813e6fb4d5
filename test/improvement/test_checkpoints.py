"""Weights and states on the disk: whole or not there, whatever happens."""

import errno
import hashlib
import json
import os
import subprocess

import numpy as np
import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.improvement.checkpoints import (
    CheckpointStore,
    describe_weights,
    DiskFullError,
    load_weights,
)

torch = pytest.importorskip('torch')
ABOUT = {'recipe': {'algorithm': 'bc'}, 'updates': 3}


def tensors(value=1.0):
    return {'layer.weight': torch.full((2, 3), value), 'bias': torch.arange(3.0)}


@pytest.fixture
def store(tmp_path):
    return CheckpointStore(tmp_path / 'checkpoints', minimum_free=0.0, keep=3)


def files(store):
    return sorted(path.name for path in store.directory.iterdir())


def aged(store, path, second):
    os.utime(path, (second, second), follow_symlinks=False)
    return path


def test_weights_come_back_with_what_describes_them(store):
    path = store.save_weights({**tensors(), 'part': torch.arange(6.0).reshape(2, 3).T}, ABOUT)
    found, about = load_weights(path)
    assert about == describe_weights(path) == ABOUT
    torch.testing.assert_close(found['layer.weight'], torch.ones(2, 3))
    torch.testing.assert_close(found['part'], torch.arange(6.0).reshape(2, 3).T)


def test_files_are_named_by_their_content(store):
    one, same = store.save_weights(tensors(), ABOUT), store.save_weights(tensors(), ABOUT)
    other = store.save_weights(tensors(2.0), ABOUT)
    told = store.save_weights(tensors(), {**ABOUT, 'updates': 4})
    assert one == same
    assert len({one, other, told}) == 3
    for path in (one, other, told):
        assert path.stem == hashlib.sha256(path.read_bytes()).hexdigest()


def test_what_is_written_is_not_published(store):
    store.save_weights(tensors(), ABOUT)
    assert not store.current.exists()


def test_publishing_moves_one_link_in_one_step(store, monkeypatch):
    one, two = store.save_weights(tensors(), ABOUT), store.save_weights(tensors(2.0), ABOUT)
    store.publish(one)
    seen = []
    replace = type(one).replace

    def watched(staged, target):
        seen.append(target.resolve())
        result = replace(staged, target)
        seen.append(target.resolve())
        return result

    monkeypatch.setattr(type(one), 'replace', watched)
    store.publish(two)
    assert seen == [one, two], 'the link always leads somewhere'
    assert os.readlink(store.current) == two.name, 'the folder may be moved'
    assert files(store) == sorted([one.name, two.name, 'current.safetensors'])


def test_a_crash_while_publishing_leaves_the_old_ones_and_the_next_time_works(store, monkeypatch):
    one, two = store.save_weights(tensors(), ABOUT), store.save_weights(tensors(2.0), ABOUT)
    store.publish(one)

    def crash(self, target):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(type(one), 'replace', crash)
        with pytest.raises(KeyboardInterrupt):
            store.publish(two)
    assert store.current.resolve() == one
    store.publish(two)
    assert store.current.resolve() == two


def test_the_newest_state_is_gone_on_from(store):
    assert store.newest_state() is None
    store.save_state(b'one', {'updates': 1})
    store.save_state(b'two', {'updates': 2})
    assert store.newest_state() == (b'two', {'updates': 2})
    assert CheckpointStore(store.directory).newest_state() == (b'two', {'updates': 2})


def test_a_crash_between_a_state_and_its_pointer_goes_on_from_the_one_before(store, monkeypatch):
    store.save_state(b'one', {'updates': 1})
    name = 'enpire_nodes.improvement.checkpoints.write_json'

    def crash(path, data):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(name, crash)
        with pytest.raises(KeyboardInterrupt):
            store.save_state(b'two', {'updates': 2})
    store.prune()
    assert store.newest_state() == (b'one', {'updates': 1})


@pytest.mark.parametrize('damage', [b'', b'on', b'onf', b'one more'])
def test_a_damaged_state_is_refused(store, damage):
    path = store.save_state(b'one', {'updates': 1})
    path.write_bytes(damage)
    with pytest.raises(StationError, match='its content is not what its name says') as caught:
        store.newest_state()
    assert caught.value.code == ErrorCode.IMPROVEMENT_CHECKPOINT_UNUSABLE


@pytest.mark.parametrize(
    'pointer', ['', '[]', '{}', '3', '{"state": 3}', '{"state": "gone.state"}', '{"state": ""}']
)
def test_a_damaged_pointer_is_refused(store, pointer):
    store.save_state(b'one', {'updates': 1})
    (store.directory / 'learner.json').write_text(pointer, 'utf-8')
    with pytest.raises(StationError, match=r'learner\.json') as caught:
        store.newest_state()
    assert caught.value.code == ErrorCode.IMPROVEMENT_CHECKPOINT_UNUSABLE
    store.prune()


def test_old_files_go_but_never_what_is_published_or_would_be_gone_on_from(store):
    weights = [
        aged(store, store.save_weights(tensors(number), ABOUT), number) for number in range(6)
    ]
    store.publish(weights[0])
    pointed = store.save_state(b'0', {})
    pointer = (store.directory / 'learner.json').read_bytes()
    states = [aged(store, store.save_state(b'%d' % number, {}), number) for number in range(6)]
    (store.directory / 'learner.json').write_bytes(pointer)
    (store.directory / 'notes.txt').write_text('mine', 'utf-8')
    store.prune()
    kept = [weights[0], *weights[3:], pointed, *states[4:]]
    assert files(store) == sorted(
        [path.name for path in kept] + ['current.safetensors', 'learner.json', 'notes.txt']
    )
    assert store.newest_state() == (b'0', {})


def test_weights_that_come_again_are_new_again(store):
    weights = [
        aged(store, store.save_weights(tensors(number), ABOUT), number) for number in range(4)
    ]
    assert store.save_weights(tensors(0), ABOUT) == weights[0]
    store.prune()
    assert weights[0].exists()
    assert not weights[1].exists()


def test_a_disk_that_is_nearly_full_is_left_alone(store, tmp_path):
    store.save_state(b'one', {'updates': 1})
    store.publish(store.save_weights(tensors(), ABOUT))
    before = files(store)
    greedy = CheckpointStore(store.directory, minimum_free=0.0)
    greedy.limit(minimum_free=1e18, keep=3)
    for write in (
        lambda: greedy.save_weights(tensors(2.0), ABOUT),
        lambda: greedy.save_state(b'two', {'updates': 2}),
    ):
        with pytest.raises(DiskFullError, match='nothing was written'):
            write()
    assert files(store) == before
    assert store.newest_state() == (b'one', {'updates': 1})


def test_a_disk_that_is_full_is_an_os_error_and_nothing_half_is_left(store, monkeypatch):
    store.save_state(b'one', {'updates': 1})
    before = files(store)

    def full(descriptor):
        raise OSError(errno.ENOSPC, 'No space left on device')

    monkeypatch.setattr(os, 'fsync', full)
    with pytest.raises(OSError, match='No space left'):
        store.save_state(b'two', {'updates': 2})
    assert files(store) == before
    assert store.newest_state() == (b'one', {'updates': 1})


@pytest.mark.parametrize('load', [load_weights, describe_weights])
def test_weights_that_cannot_be_used_are_named(store, tmp_path, load):
    good = store.save_weights(tensors(), ABOUT)
    content = good.read_bytes()
    cases = {'empty': b'', 'short': content[:-1], 'cut': content[:9], 'other': b'{}' * 40}
    for name, data in cases.items():
        (tmp_path / name).write_bytes(data)
    from safetensors.numpy import save_file

    save_file({'a': np.zeros(2)}, tmp_path / 'foreign')
    save_file({'a': np.zeros(2)}, tmp_path / 'words', {'about': 'no json'})
    save_file({'a': np.zeros(2)}, tmp_path / 'deep', {'about': '[' * 100_000})
    for name in (*cases, 'foreign', 'words', 'deep', 'missing'):
        with pytest.raises(StationError, match=f'{tmp_path / name}: ') as caught:
            load(tmp_path / name)
        assert caught.value.code == ErrorCode.IMPROVEMENT_CHECKPOINT_UNUSABLE


def test_the_pointer_is_plain_json_for_people(store):
    path = store.save_state(b'one', {'updates': 1})
    assert json.loads((store.directory / 'learner.json').read_text('utf-8')) == {
        'state': path.name,
        'updates': 1,
    }


def test_how_many_files_are_kept_may_be_set_later(store):
    for number in range(6):
        aged(store, store.save_weights(tensors(number), ABOUT), number)
    store.limit(minimum_free=0.0, keep=5)
    store.prune()
    assert len(files(store)) == 5


def test_what_a_killed_writer_left_is_removed_and_that_of_a_living_one_is_not(store):
    store.directory.mkdir(parents=True, exist_ok=True)
    ended = subprocess.Popen(['true'])
    ended.wait(10.0)
    left = store.directory / f'.abc.state.{ended.pid}.tmp'
    writing = store.directory / f'.abc.state.{os.getpid()}.tmp'
    for path in (left, writing):
        path.write_bytes(b'half')
    store.prune()
    assert not left.exists()
    assert writing.exists()
