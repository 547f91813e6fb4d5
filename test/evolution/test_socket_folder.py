"""The folder of the sockets: its link, and what a killed supervisor left behind."""

from __future__ import annotations

from pathlib import Path
import tempfile

import pytest

from enpire_nodes.evolution.socket_folder import socket_folder


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / 'temporary'
    folder.mkdir()
    monkeypatch.setattr(tempfile, 'tempdir', str(folder))
    return folder


def test_a_link_leads_to_a_folder_of_the_user_alone(tmp_path):
    with socket_folder(tmp_path) as folder:
        assert (tmp_path / 'sockets').resolve() == folder.resolve()
        assert folder.stat().st_mode & 0o777 == 0o700


def test_neither_link_nor_folder_is_left_behind(tmp_path, temporary):
    with pytest.raises(RuntimeError, match='it broke'), socket_folder(tmp_path) as folder:
        (folder / 'hub.sock').touch()
        raise RuntimeError('it broke')
    assert not (tmp_path / 'sockets').is_symlink()
    assert list(temporary.iterdir()) == []


def test_what_a_killed_supervisor_left_is_removed(tmp_path, temporary):
    old = temporary / 'enpire-killed'
    old.mkdir()
    (old / 'hub.sock').touch()
    (tmp_path / 'sockets').symlink_to(old)
    with socket_folder(tmp_path) as folder:
        assert not old.exists()
        assert (tmp_path / 'sockets').resolve() == folder.resolve()


def test_a_link_to_a_folder_that_is_gone_is_replaced(tmp_path, temporary):
    (tmp_path / 'sockets').symlink_to(temporary / 'enpire-gone')
    with socket_folder(tmp_path) as folder:
        assert (tmp_path / 'sockets').resolve() == folder.resolve()


@pytest.mark.parametrize('place', ['temporary/others', 'elsewhere/enpire-mine'])
def test_a_link_to_what_no_supervisor_made_removes_the_link_alone(tmp_path, place):
    other = tmp_path / place
    other.mkdir(parents=True)
    (other / 'precious').touch()
    (tmp_path / 'sockets').symlink_to(other)
    with socket_folder(tmp_path) as folder:
        assert (tmp_path / 'sockets').resolve() == folder.resolve()
    assert (other / 'precious').exists()
