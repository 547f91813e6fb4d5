"""One holder at a time, and none left behind."""

import os
import signal
import subprocess
import sys

import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.ledger.lock import station_lock_path, StationLock

_HOLD = """
import sys
from pathlib import Path
from enpire_nodes.rollout.ledger.lock import StationLock
lock = StationLock(Path(sys.argv[1]), owner='/station_1/trial_runner')
print('held', flush=True)
sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    process = subprocess.Popen(
        [sys.executable, '-c', _HOLD, str(tmp_path / 'lock')],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == 'held\n'
    yield process
    process.kill()
    process.communicate(timeout=10)


def test_the_second_is_told_who_holds_it(tmp_path, holder):
    with pytest.raises(StationError) as caught:
        StationLock(tmp_path / 'lock', owner='me')
    assert caught.value.code is ErrorCode.RUNNER_STATION_LOCKED
    assert f'/station_1/trial_runner, process {holder.pid}' in caught.value.message


def test_a_killed_holder_leaves_no_lock(tmp_path, holder):
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait(timeout=10)
    StationLock(tmp_path / 'lock', owner='me').release()


def test_a_released_lock_can_be_taken_again(tmp_path):
    first = StationLock(tmp_path / 'lock', owner='first')
    first.release()
    first.release()
    with StationLock(tmp_path / 'lock', owner='second') as second, pytest.raises(StationError):
        StationLock(second.path, owner='third')


def test_a_full_disk_still_locks_and_is_told(tmp_path, monkeypatch, caplog):
    def full(*arguments):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(os, 'pwrite', full)
    with StationLock(tmp_path / 'lock', owner='first'):
        assert 'No space left' in caplog.text
        with pytest.raises(StationError, match='it has not said which'):
            StationLock(tmp_path / 'lock', owner='second')


def test_a_damaged_file_still_locks(tmp_path):
    with StationLock(tmp_path / 'lock', owner='first') as lock:
        lock.path.write_text('nonsense')
        with pytest.raises(StationError, match='another process'):
            StationLock(lock.path, owner='second')


def test_a_directory_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(StationError) as caught:
        StationLock(tmp_path / 'file' / 'lock', owner='me')
    assert caught.value.code is ErrorCode.RUNNER_LEDGER_FAILED


def test_stations_and_domains_have_their_own_locks(monkeypatch):
    monkeypatch.setenv('ROS_DOMAIN_ID', '7')
    one, two = station_lock_path('/station_1'), station_lock_path('/station_2')
    monkeypatch.setenv('ROS_DOMAIN_ID', '8')
    assert len({one, two, station_lock_path('/station_1')}) == 3
    assert station_lock_path('/a/b').name == 'a-b.lock'
