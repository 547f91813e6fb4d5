"""What killed processes left in the shared memory is removed by the tool of Fast DDS."""

from __future__ import annotations

import os

import pytest

from enpire_nodes.bringup import shared_memory
from enpire_nodes.bringup.shared_memory import clean_shared_memory


@pytest.fixture
def tool(tmp_path, monkeypatch):
    def make(body: str) -> None:
        path = tmp_path / 'fastdds'
        path.write_text(f'#!/bin/sh\n{body}\n')
        path.chmod(0o755)

    monkeypatch.setenv('PATH', f'{tmp_path}{os.pathsep}{os.defpath}')
    return make


def test_the_tool_is_asked_to_clean(tool, tmp_path):
    tool(f'echo "$@" > {tmp_path}/asked')
    assert clean_shared_memory() == ''
    assert (tmp_path / 'asked').read_text() == 'shm clean\n'


def test_a_tool_that_fails_is_told_with_its_words(tool):
    tool('echo "no such folder" >&2; exit 3')
    assert 'ended with 3: no such folder' in clean_shared_memory()


def test_a_tool_that_hangs_does_not_hang_the_station(tool, monkeypatch):
    monkeypatch.setattr(shared_memory, '_DEADLINE', 0.1)
    tool('exec sleep 60')
    assert 'timed out' in clean_shared_memory()


def test_a_machine_without_the_tool_has_nothing_to_clean(monkeypatch, tmp_path):
    monkeypatch.setenv('PATH', str(tmp_path))
    assert clean_shared_memory() == ''


@pytest.mark.ros
def test_a_segment_that_nobody_holds_is_really_removed():
    from pathlib import Path

    stale = Path('/dev/shm/fastrtps_00000000deadbeef')
    lock = stale.with_name(stale.name + '_el')
    for path in (stale, lock):
        path.write_bytes(b'')
    try:
        assert clean_shared_memory() == ''
        assert not stale.exists()
    finally:
        for path in (stale, lock):
            path.unlink(missing_ok=True)
