"""A Unix socket that listens, in a folder with a path of any length."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
import socket
import stat

from enpire_nodes.common.errors import ErrorCode, StationError


def listen(path: Path) -> socket.socket:
    """Return a socket at ``path`` that only this user may connect to.

    What a process that was killed left there is replaced. A path of a socket ends after 107 bytes,
    so the folder is named by its descriptor.

    :raises StationError: SUPERVISOR_SOCKET_FAILED; somebody listens there, or it cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            return _listen(f'/proc/self/fd/{folder}/{path.name}', path)
        finally:
            os.close(folder)
    except OSError as error:
        raise _failed(f'{path} cannot be made: {error}') from error


def _listen(short: str, path: Path) -> socket.socket:
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISSOCK(os.lstat(short).st_mode):
            raise _failed(f'{path} is there and is no socket; move it away')
        if _answers(short):
            raise _failed(f'somebody listens on {path}; is another station running there?')
        os.unlink(short)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        os.fchmod(listener.fileno(), 0o600)
        listener.bind(short)
        listener.listen(128)
        listener.setblocking(False)
    except BaseException:
        listener.close()
        raise
    return listener


def _answers(short: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(2.0)
        try:
            probe.connect(short)
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        return True


def _failed(words: str) -> StationError:
    return StationError(ErrorCode.SUPERVISOR_SOCKET_FAILED, words)
