"""The emergency stop's memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.environment.safety.latch import EstopLatch, FILE_NAME, LatchState

STOPPED = LatchState(estopped=True, reason='pressed')
RELEASED = LatchState(estopped=False, reason='')


def test_a_new_directory_is_not_latched_and_gets_its_file(tmp_path):
    assert EstopLatch(tmp_path).open() == RELEASED
    assert json.loads((tmp_path / FILE_NAME).read_text())['estopped'] is False


def test_what_was_saved_is_read_by_the_next_process(tmp_path):
    EstopLatch(tmp_path).save(STOPPED)
    assert EstopLatch(tmp_path).open() == STOPPED
    EstopLatch(tmp_path).save(RELEASED)
    assert EstopLatch(tmp_path).open() == RELEASED
    assert [entry.name for entry in tmp_path.iterdir()] == [FILE_NAME]


@pytest.mark.parametrize(
    'content',
    [b'', b'{', b'null', b'[]', b'{}', b'{"estopped": 0, "reason": ""}', b'\xff\xfe',
     b'{"estopped": false}', b'{"estopped": false, "reason": 3}'],
)  # fmt: skip
def test_a_file_that_cannot_be_understood_counts_as_latched(tmp_path, content):
    (tmp_path / FILE_NAME).write_bytes(content)
    state = EstopLatch(tmp_path).open()
    assert state.estopped
    assert FILE_NAME in state.reason
    assert EstopLatch(tmp_path).open().estopped  # and stays so


def test_a_directory_in_the_place_of_the_file_is_refused(tmp_path):
    (tmp_path / FILE_NAME).mkdir()
    with pytest.raises(StationError, match='cannot be written'):
        EstopLatch(tmp_path).open()


def test_a_missing_directory_is_refused_with_the_remedy(tmp_path):
    with pytest.raises(StationError, match='run_directory') as caught:
        EstopLatch(tmp_path / 'none').open()
    assert caught.value.code is ErrorCode.GATE_ESTOPPED


def test_a_disk_that_refuses_leaves_the_old_file(tmp_path, monkeypatch):
    latch = EstopLatch(tmp_path)
    latch.save(STOPPED)

    def full(descriptor):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(os, 'fsync', full)
    with pytest.raises(StationError, match='No space left'):
        latch.save(RELEASED)
    assert EstopLatch(tmp_path)._read() == STOPPED


def test_a_kill_while_it_saves_leaves_a_whole_file(tmp_path):
    script = (
        'import sys\n'
        'from enpire_nodes.environment.safety.latch import EstopLatch, LatchState\n'
        'latch = EstopLatch(sys.argv[1])\n'
        'print("go", flush=True)\n'
        'while True:\n'
        '    latch.save(LatchState(True, "x" * 5000)); latch.save(LatchState(False, ""))\n'
    )
    process = subprocess.Popen(
        [sys.executable, '-c', script, str(tmp_path)], stdout=subprocess.PIPE
    )
    assert process.stdout.readline() == b'go\n'
    try:
        process.wait(timeout=0.2)
    except subprocess.TimeoutExpired:
        process.kill()
    process.wait(timeout=5.0)
    process.stdout.close()
    data = json.loads((tmp_path / FILE_NAME).read_text())
    assert data['reason'] == ('x' * 5000 if data['estopped'] else '')
