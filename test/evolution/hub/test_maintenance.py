"""What killed processes leave is removed; what lives is not."""

from concurrent.futures import ThreadPoolExecutor
import os
import time

import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.evolution.hub import maintenance as module
from enpire_nodes.evolution.hub.maintenance import writing


def leave(path, *, age):
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.name.startswith('tmp_objdir'):
        path.mkdir()
        (path / 'pack').mkdir()
    else:
        path.write_bytes(b'')
    os.utime(path, (time.time() - age,) * 2)
    return path


def test_stale_locks_are_removed_and_the_hub_works_again(hub, agent):
    names = ['refs/heads/station/s1.lock', 'packed-refs.lock', 'HEAD.lock', 'config.lock']
    locks = [leave(hub.path / name, age=3600) for name in names]
    hub.prepare()
    assert not any(lock.exists() for lock in locks)
    agent.commit('good')
    assert agent.push().returncode == 0


def test_locks_that_are_young_are_somebodys(hub):
    lock = leave(hub.path / 'refs' / 'heads' / 'x.lock', age=1)
    young = leave(hub.path / 'objects' / 'tmp_objdir-incoming-young', age=600)
    old = leave(hub.path / 'objects' / 'tmp_objdir-incoming-old', age=7200)
    assert hub.sweep() == [old]
    assert lock.exists()
    assert young.exists()


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
