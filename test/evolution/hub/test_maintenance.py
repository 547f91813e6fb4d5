"""What killed processes leave is removed; what lives is not."""

from concurrent.futures import ThreadPoolExecutor
import os
import threading
import time

import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.evolution.hub import maintenance as module
from enpire_nodes.evolution.hub.maintenance import LOCK_AGE, QUARANTINE_AGE, Sweeper, writing


@pytest.fixture
def sweeper(hub, clock):
    return Sweeper(hub.path, clock=clock)


def leave(path, *, stamp=None):
    """Leave what a killed process leaves; ``stamp`` in s of the wall clock."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.name.startswith('tmp_objdir'):
        path.mkdir()
        (path / 'pack').mkdir()
    else:
        path.write_bytes(b'')
    if stamp is not None:
        os.utime(path, (stamp, stamp))
    return path


def test_stale_locks_are_removed_and_the_hub_works_again(hub, agent, monkeypatch):
    monkeypatch.setattr(module, 'LOCK_AGE', 0.2)
    names = ['refs/heads/station/s1.lock', 'packed-refs.lock', 'HEAD.lock', 'config.lock']
    locks = [leave(hub.path / name) for name in names]
    hub.prepare()
    assert not any(lock.exists() for lock in locks)
    agent.commit('good')
    assert agent.push().returncode == 0


@pytest.mark.parametrize('offset', [-1e8, 0.0, 1e8], ids=['old', 'new', 'of the future'])
def test_the_wall_clock_has_no_say(hub, sweeper, clock, offset):
    lock = leave(hub.path / 'refs' / 'heads' / 'x.lock', stamp=time.time() + offset)
    assert sweeper.sweep() == []
    clock.now += LOCK_AGE - 0.1
    assert sweeper.sweep() == []
    clock.now += 0.1
    assert sweeper.sweep() == [lock]


def test_a_lock_that_was_taken_anew_is_somebodys(hub, sweeper, clock):
    lock = leave(hub.path / 'refs' / 'heads' / 'x.lock', stamp=1.0)
    sweeper.sweep()
    clock.now += LOCK_AGE
    lock.unlink()
    leave(lock, stamp=2.0)
    assert sweeper.sweep() == []


def test_a_lock_that_was_given_back_meanwhile_is_a_new_one(hub, sweeper, clock, tmp_path):
    lock = leave(hub.path / 'refs' / 'heads' / 'x.lock', stamp=1.0)
    sweeper.sweep()
    clock.now += LOCK_AGE / 2
    lock.rename(tmp_path / 'away')
    assert sweeper.sweep() == []
    clock.now += LOCK_AGE / 2
    (tmp_path / 'away').rename(lock)  # by chance it looks the same
    assert sweeper.sweep() == []


def test_unfinished_pushes_are_given_longer_and_are_removed_whole(hub, sweeper, clock):
    push = leave(hub.path / 'objects' / 'tmp_objdir-incoming-x')
    pack = leave(hub.path / 'objects' / 'pack' / 'tmp_pack_x')
    sweeper.sweep()
    clock.now += LOCK_AGE + 1.0
    assert sweeper.sweep() == []
    clock.now += QUARANTINE_AGE
    assert sorted(sweeper.sweep()) == [pack, push]
    assert not push.exists()


def test_what_belongs_to_the_hub_stays(hub, sweeper, clock):
    leave(hub.path / 'logs' / 'refs' / 'heads' / 'x.lock')  # a branch may be called so
    leave(hub.path / 'tmp_notes')
    before = sorted(hub.path.rglob('*'))
    sweeper.sweep()
    clock.now += 10 * QUARANTINE_AGE
    assert sweeper.sweep() == []
    assert sorted(hub.path.rglob('*')) == before


def test_a_start_waits_until_a_lock_is_given_back(hub):
    lock = leave(hub.path / 'packed-refs.lock')
    giving = threading.Timer(0.3, lock.unlink)
    giving.start()
    assert Sweeper(hub.path).settle() == []
    assert not lock.exists()
    giving.join()


def test_a_start_without_locks_does_not_wait(hub, monkeypatch):
    leave(hub.path / 'objects' / 'tmp_objdir-incoming-x')
    monkeypatch.setattr(module.time, 'sleep', pytest.fail)
    assert Sweeper(hub.path).settle() == []


def test_a_lock_that_cannot_be_removed_is_told(hub, monkeypatch):
    monkeypatch.setattr(module, 'LOCK_AGE', 0.05)
    lock = leave(hub.path / 'packed-refs.lock')

    def deny(*_, **__):
        raise PermissionError(1, 'Operation not permitted')

    monkeypatch.setattr(module.Path, 'unlink', deny)
    with pytest.raises(StationError, match='cannot be removed') as caught:
        hub.prepare()
    assert caught.value.code == ErrorCode.HUB_UNUSABLE
    assert str(lock) in caught.value.message


def test_a_hub_that_cannot_be_locked_is_told(tmp_path):
    with pytest.raises(StationError, match='cannot be written') as caught, writing(tmp_path / 'x'):
        pass
    assert caught.value.code == ErrorCode.HUB_UNUSABLE


def test_writers_take_turns(hub):
    inside, most = [], []

    def work(_):
        with writing(hub.path):
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.01)
            inside.pop()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(8)))
    assert max(most) == 1


def test_a_writer_that_hangs_is_told_of(hub, monkeypatch):
    monkeypatch.setattr(module, '_PATIENCE', 0.05)
    with writing(hub.path), pytest.raises(StationError, match='another process') as caught:
        with writing(hub.path):
            pass
    assert caught.value.code == ErrorCode.HUB_UNUSABLE
