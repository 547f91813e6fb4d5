"""Secrets: where they lie, and that one is made once and whole."""

import os
import threading

import pytest

from enpire_nodes.common.keys import keys_directory, write_new


def test_the_place_of_the_keys_can_be_named(tmp_path, monkeypatch):
    monkeypatch.setenv('ENPIRE_KEYS', str(tmp_path))
    assert keys_directory() == tmp_path
    monkeypatch.delenv('ENPIRE_KEYS')
    monkeypatch.setenv('HOME', '/home/somebody')
    assert str(keys_directory()) == '/home/somebody/.config/enpire'


@pytest.mark.parametrize('mode', [0o600, 0o644])
def test_its_mode_is_as_asked_whatever_the_umask(tmp_path, mode):
    before = os.umask(0o077)
    try:
        assert write_new(tmp_path / 'key', b'secret', mode=mode)
    finally:
        os.umask(before)
    assert (tmp_path / 'key').stat().st_mode & 0o777 == mode
    assert [item.name for item in tmp_path.iterdir()] == ['key']


def test_what_is_there_stays(tmp_path):
    assert write_new(tmp_path / 'key', b'first')
    assert not write_new(tmp_path / 'key', b'second')
    assert (tmp_path / 'key').read_bytes() == b'first'
    assert [item.name for item in tmp_path.iterdir()] == ['key']


def test_of_many_that_start_together_one_makes_it(tmp_path):
    made = []
    threads = [
        threading.Thread(target=lambda n=n: made.append(write_new(tmp_path / 'key', bytes([n]))))
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10.0)
    assert sorted(made) == [False] * 7 + [True]
    assert len((tmp_path / 'key').read_bytes()) == 1


def test_a_disk_that_fails_leaves_nothing(tmp_path, monkeypatch):
    def fail(descriptor):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(os, 'fsync', fail)
    with pytest.raises(OSError, match='No space'):
        write_new(tmp_path / 'key', b'secret')
    assert list(tmp_path.iterdir()) == []
