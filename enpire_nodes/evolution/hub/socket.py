"""The Unix socket through which one station's agent reaches the hub; the socket is its identity.

Every connection is handed to ``git daemon --inetd``, which knows Git's protocol; whatever path a
client names, it gets this hub. The hub's pre-receive hook learns from the environment whose socket
it was. A relay to TCP may lie in between.
"""

from __future__ import annotations

import os
from pathlib import Path
import select
import signal
import socket
import subprocess
import threading
import time
from typing import TYPE_CHECKING

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.evolution.hub.git import clean_environment
from enpire_nodes.evolution.hub.hook import STATION_VARIABLE
from enpire_nodes.evolution.hub.names import station_name

if TYPE_CHECKING:
    from enpire_nodes.evolution.hub.repository import Hub

_SILENCE = 30  # s without a byte, after which Git gives a client up
_POLL = 0.2  # s
_SWEEP = 30.0  # s between two looks for what killed processes left
_BUSY = b'ERR the hub is busy; try again in some seconds\n'


class HubSocket:
    """Serves a hub to one station, until it is closed.

    :param path: of the socket; one that is there is replaced.
    :param deadline: s that one connection may last.
    :param most: connections at a time; others are told to come again.
    """

    def __init__(
        self, path: Path, hub: Hub, station: str, *, deadline: float = 120.0, most: int = 8
    ) -> None:
        self.path = Path(path)
        self._hub = hub
        self._station = station_name(station)
        self._deadline = deadline
        self._places = threading.BoundedSemaphore(most)
        self._closing = threading.Event()
        self._swept = time.monotonic()
        self._listener: socket.socket | None = None
        self._acceptor: threading.Thread | None = None
        self._serving: set[threading.Thread] = set()

    def start(self) -> None:
        """Put the hub in order, and serve.

        :raises StationError: HUB_UNUSABLE, the socket cannot be made; as of :meth:`Hub.prepare`.
        """
        self._hub.prepare()
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.unlink(missing_ok=True)
            listener.bind(str(self.path))
            self.path.chmod(0o600)
            listener.listen(64)
        except OSError as error:
            listener.close()
            raise StationError(
                ErrorCode.HUB_UNUSABLE, f'the socket {self.path} cannot be made: {error}'
            ) from error
        self._listener = listener
        self._acceptor = threading.Thread(target=self._accept, name='hub socket', daemon=True)
        self._acceptor.start()

    def close(self) -> None:
        """Stop serving, and end what is being served; may be called again."""
        self._closing.set()
        if self._listener is None or self._acceptor is None:
            return
        self._acceptor.join(10.0)
        self._listener.close()
        self._listener = None
        self.path.unlink(missing_ok=True)
        for thread in list(self._serving):
            thread.join(10.0)

    def __enter__(self) -> HubSocket:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _accept(self) -> None:
        poller = select.poll()
        poller.register(self._listener, select.POLLIN)
        while not self._closing.is_set():
            if not poller.poll(_POLL * 1000.0):
                continue
            try:
                connection, _ = self._listener.accept()
            except OSError:  # it is gone again, or there are no file descriptors for now
                self._closing.wait(_POLL)
                continue
            if not self._places.acquire(blocking=False):
                _refuse(connection)
                continue
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._serving.add(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection:
                self._run(connection)
                _part(connection)
        finally:
            self._serving.discard(threading.current_thread())
            self._places.release()

    def _run(self, connection: socket.socket) -> None:
        if time.monotonic() - self._swept > _SWEEP:
            self._swept = time.monotonic()
            self._hub.sweep()
        path = str(self._hub.path).replace('%', '%%')
        command = [
            'git', 'daemon', '--inetd', '--export-all', '--strict-paths', '--log-destination=none',
            '--informative-errors', '--enable=receive-pack', '--forbid-override=upload-archive',
            f'--init-timeout={_SILENCE}', f'--timeout={_SILENCE}', f'--interpolated-path={path}',
            str(self._hub.path),
        ]  # fmt: skip
        process = subprocess.Popen(
            command, stdin=connection, stdout=connection, stderr=subprocess.DEVNULL, cwd='/',
            env=clean_environment(**{STATION_VARIABLE: self._station}), start_new_session=True,
        )  # fmt: skip
        end = time.monotonic() + self._deadline
        while time.monotonic() < end and not self._closing.is_set():
            try:
                process.wait(_POLL)
                break
            except subprocess.TimeoutExpired:
                continue
        # the daemon may have ended before what it started
        _kill_group(process.pid)
        process.wait()


def _refuse(connection: socket.socket) -> None:
    with connection:
        connection.settimeout(1.0)
        try:
            connection.sendall(b'%04x' % (len(_BUSY) + 4) + _BUSY)
        except OSError:
            return  # it did not stay to hear it


def _part(connection: socket.socket) -> None:
    # closing with bytes unread would reset the connection, and lose what was said last
    connection.settimeout(1.0)
    try:
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            continue
    except OSError:
        return  # gone, or it goes on talking


def _kill_group(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return  # all of it has ended
