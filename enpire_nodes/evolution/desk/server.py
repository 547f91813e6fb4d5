"""The trial socket: HTTP and JSON on a Unix socket, in a thread and an event loop of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
import threading

from aiohttp import web

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.evolution.desk.interface import Desk, MOST_BYTES
from enpire_nodes.evolution.desk.routes import Routes, unanswered

_LONGEST_PATH = 107  # bytes, of the name of a Unix socket
_START = 10.0  # s
_ACCEPTED = 0.1  # s
_IDLE = 5.0  # s after which a connection that asks nothing more is closed
_GRACE = 2.0  # s in which requests under way may end when it closes


class DeskServer:
    """Serves one :class:`Desk`.

    :param path: of the socket; a stale one is replaced.
    :param log: hears of what should not happen.
    """

    def __init__(
        self, path: Path, desk: Desk, *, log: Callable[[str], None] = lambda words: None
    ) -> None:
        self._path, self._log = Path(path), log
        self._pools = tuple(
            ThreadPoolExecutor(count, thread_name_prefix=name)
            for count, name in ((8, 'desk'), (1, 'desk-accounts'))
        )
        self._routes = Routes(desk, *self._pools, log=log)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._serve, name='desk-server', daemon=True)
        self._begun = threading.Event()
        self._failure: Exception | None = None
        self._over: asyncio.Event | None = None

    def start(self) -> None:
        """Begin to serve.

        :raises StationError: SUPERVISOR_SOCKET_FAILED.
        """
        if len(str(self._path).encode()) > _LONGEST_PATH:
            raise self._failed(f'has more than {_LONGEST_PATH} bytes; use a shorter --run')
        self._thread.start()
        if not self._begun.wait(_START):
            raise self._failed(f'is not there after {_START:g} s')
        if self._failure is not None:
            raise self._failed(str(self._failure)) from self._failure

    def close(self) -> None:
        """Stop serving, and remove the socket; may be called twice."""
        if self._thread.is_alive() and self._over is not None:
            self._loop.call_soon_threadsafe(self._over.set)
            self._thread.join(_START)
        for pool in self._pools:
            pool.shutdown(wait=False, cancel_futures=True)

    def _serve(self) -> None:
        self._loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._run())
        except Exception as error:  # noqa: BLE001 - who waits for the start must hear of it
            self._failure = error
            self._log(f'the trial socket failed: {type(error).__name__}: {error}')
        finally:
            self._begun.set()
            self._loop.close()

    async def _run(self) -> None:
        self._over = asyncio.Event()
        application = web.Application(middlewares=[unanswered], client_max_size=MOST_BYTES + 1)
        self._routes.add_to(application)
        runner = web.AppRunner(
            application,
            access_log=None,
            handle_signals=False,
            shutdown_timeout=_GRACE,
            keepalive_timeout=_IDLE,
        )
        await runner.setup()
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.unlink(missing_ok=True)
            site = web.UnixSite(runner, str(self._path), backlog=32)
            await site.start()
            self._path.chmod(0o600)
            self._begun.set()
            await self._over.wait()
            await site.stop()
            # who was accepted just now gets its turn, and is closed with the others
            await asyncio.sleep(_ACCEPTED)
        finally:
            self._routes.closing = True
            await runner.cleanup()
            await asyncio.sleep(_ACCEPTED)  # sockets are closed a turn after their transports
            self._path.unlink(missing_ok=True)

    def _failed(self, words: str) -> StationError:
        return StationError(
            ErrorCode.SUPERVISOR_SOCKET_FAILED, f'the trial socket {self._path}: {words}'
        )
