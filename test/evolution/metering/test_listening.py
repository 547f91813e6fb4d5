"""Listening at a path."""

from __future__ import annotations

import os
import socket

import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.evolution.metering.listening import listen


def test_a_path_longer_than_a_socket_may_have(tmp_path):
    folder = tmp_path / ('long' * 30)
    path = folder / 'model.sock'

    with listen(path):
        descriptor = os.open(folder, os.O_RDONLY)
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(f'/proc/self/fd/{descriptor}/model.sock')
        os.close(descriptor)
        assert path.stat().st_mode & 0o777 == 0o600


def test_what_a_killed_process_left_is_replaced(tmp_path):
    path = tmp_path / 'model.sock'
    listen(path).close()

    with listen(path):
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))


def test_a_socket_that_is_served_is_left_alone(tmp_path):
    path = tmp_path / 'model.sock'

    with listen(path), pytest.raises(StationError, match='somebody listens') as caught:
        listen(path)
    assert caught.value.code == ErrorCode.SUPERVISOR_SOCKET_FAILED


def test_a_file_is_not_replaced(tmp_path):
    path = tmp_path / 'model.sock'
    path.write_text('mine')

    with pytest.raises(StationError, match='no socket'):
        listen(path)
    assert path.read_text() == 'mine'
