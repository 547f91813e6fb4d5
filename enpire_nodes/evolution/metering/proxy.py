"""The proxy between an agent and its model: it holds the key, counts, and keeps the budget.

The gate sees the calls that have ended. What runs at the same time is not known to it, so a
budget can be overshot by one call for each request that is under way when it is used up, at most
by :data:`MOST` calls.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
import logging
from pathlib import Path
import threading
import time

import aiohttp
from aiohttp import web

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.evolution.metering.deadlines import Deadlines
from enpire_nodes.evolution.metering.exchange import Exchange, RefusedError
from enpire_nodes.evolution.metering.key import ModelKey, Redactor
from enpire_nodes.evolution.metering.listening import listen
from enpire_nodes.evolution.metering.meter import Meter, new_call_id
from enpire_nodes.evolution.metering.prices import PriceList
from enpire_nodes.evolution.metering.upstream import Upstream
from enpire_nodes.evolution.metering.wires import route
from enpire_nodes.evolution.records import ModelCall

_LOG = logging.getLogger(__name__)
#: Requests at the same time.
MOST = 32
#: Bytes of a request.
LONGEST = 32 * 2**20
#: Connections at the same time, idle ones included.
CONNECTIONS = 128
#: How often a held request looks whether it may go on, s.
_POLL = 0.05
#: Longest line of a header, bytes.
_HEADER = 64 * 1024
#: What the client library would add by itself.
_SILENT = ('Accept', 'Accept-Encoding', 'Content-Type', 'User-Agent')


def never() -> bool:
    """Hold nothing."""
    return False


class _Server(web.Server):
    """A server of so many connections; with more, the station would run out of descriptors."""

    def __call__(self) -> asyncio.Protocol:
        if len(self.connections) >= CONNECTIONS:
            return _Closed()
        return super().__call__()


class _Closed(asyncio.Protocol):
    def connection_made(self, transport: asyncio.Transport) -> None:
        """Close at once."""
        transport.abort()


class MeteringProxy:
    """A server on a Unix socket that passes calls on to a model provider.

    Its own thread serves. ``gate`` and ``record`` are called in another one, one at a time and in
    the order of things, so that they may write to a disk: a call that has ended is recorded before
    a later one is let through. When a call cannot be recorded, none is made any more.

    :param socket: where it listens.
    :param upstream: address of the provider; see :class:`Upstream`.
    :param key: that the provider gets; None for none.
    :param gate: returns why nothing more may be spent, or an empty string.
    :param record: takes each call once, after it ended, however it did.
    :param hold: whether requests shall wait, as when the station is paused; quick.
    """

    def __init__(
        self,
        socket: Path,
        *,
        upstream: str,
        key: ModelKey | None,
        gate: Callable[[], str],
        record: Callable[[ModelCall], None],
        prices: PriceList,
        hold: Callable[[], bool] = never,
        deadlines: Deadlines | None = None,
    ) -> None:
        self._path, self._key, self._prices = Path(socket), key, prices
        self._gate, self._record, self._hold = gate, record, hold
        self._upstream, self._deadlines = Upstream(upstream, key), deadlines or Deadlines()
        self._redactor = Redactor(key)
        self._books: ThreadPoolExecutor | None = ThreadPoolExecutor(1, 'metering-books')
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()
        self._failure: Exception | None = None
        self._fault = ''
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._session: aiohttp.ClientSession | None = None
        self._open: dict[int, tuple[web.BaseRequest, Meter | None]] = {}
        self._in_flight = 0
        self._last_activity = time.monotonic()

    @property
    def in_flight(self) -> int:
        """Calls that the provider is at work on."""
        return self._in_flight

    @property
    def last_activity(self) -> float:
        """When something passed last, in either direction; s of the monotonic clock."""
        return self._last_activity

    @property
    def fault(self) -> str:
        """Why calls can no longer be recorded, and none are made; empty while they can."""
        return self._fault

    def start(self) -> None:
        """Listen.

        :raises StationError: SUPERVISOR_SOCKET_FAILED.
        """
        self._thread = threading.Thread(target=self._run, name='metering', daemon=True)
        self._thread.start()
        if not self._ready.wait(30.0):
            raise StationError(
                ErrorCode.SUPERVISOR_SOCKET_FAILED, f'the proxy at {self._path} did not start'
            )
        if self._failure is not None:
            self.close()
            raise self._failure

    def close(self) -> None:
        """End the calls that run, record them, and stop listening."""
        thread, self._thread = self._thread, None
        if thread is not None:
            if self._failure is None and self._loop is not None and self._stop is not None:
                self._loop.call_soon_threadsafe(self._stop.set)
            thread.join(self._deadlines.close + 10.0)
            if thread.is_alive():
                _LOG.error('the metering proxy at %s does not end', self._path)
        books, self._books = self._books, None
        if books is not None:
            last = books.submit(self._alive)
            done = wait([last], self._deadlines.books).done
            if not done:
                _LOG.error('calls of the metering proxy at %s could not be recorded', self._path)
            books.shutdown(wait=bool(done))

    def __enter__(self) -> MeteringProxy:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except Exception as error:  # noqa: BLE001 - a thread has nobody else to tell
            self._failure = error if isinstance(error, StationError) else _failed(error)
            _LOG.error('the metering proxy ended: %s', self._failure)
        finally:
            self._ready.set()

    async def _main(self) -> None:
        deadlines = self._deadlines
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        listener = listen(self._path)
        inode = self._path.stat().st_ino
        server = _Server(
            self._serve,
            handler_cancellation=True,
            auto_decompress=False,
            access_log=None,
            max_field_size=_HEADER,
            keepalive_timeout=300.0,
            lingering_time=1.0,
        )
        runner = web.ServerRunner(server, shutdown_timeout=deadlines.close / 2)
        timeout = aiohttp.ClientTimeout(
            total=deadlines.answer, sock_connect=deadlines.connect, sock_read=deadlines.silence
        )
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=30.0),
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=_SILENT,
            timeout=timeout,
            auto_decompress=False,
            max_field_size=_HEADER,
            max_line_size=_HEADER,
        ) as self._session:
            await runner.setup()
            await web.SockSite(runner, listener).start()
            self._ready.set()
            try:
                await self._stop.wait()
            finally:
                for request, meter in list(self._open.values()):
                    if meter is not None:
                        meter.message = 'the station stopped'
                    if request.transport is not None:
                        request.transport.abort()
                await runner.cleanup()
                listener.close()
                if self._path.exists() and self._path.stat().st_ino == inode:
                    self._path.unlink(missing_ok=True)

    def _alive(self) -> None:
        self._last_activity = time.monotonic()

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        self._alive()
        found = route(request.method, request.raw_path.partition('?')[0])
        if found is None:
            words = f'{request.method} of this path is not passed on to a model provider'
            return RefusedError(404, words, 'unknown_path').response('')
        meter = Meter(found.wire) if found.call else None
        exchange = Exchange(
            request,
            found,
            meter,
            key=self._key,
            deadlines=self._deadlines,
            alive=self._alive,
        )
        self._open[id(request)] = request, meter
        try:
            response = await self._answer(exchange, meter)
        except RefusedError as refused:
            response = _refusal(refused, found.wire, meter)
        except Exception as error:  # noqa: BLE001 - one request must not end in silence
            words = self._redactor.text(f'{type(error).__name__}: {error}')
            _LOG.error('the metering proxy failed at a request: %s', words)
            response = _refusal(RefusedError(500, words, 'internal'), found.wire, meter)
        except asyncio.CancelledError:
            if meter is not None:
                meter.message = meter.message or 'the client went away'
            raise
        finally:
            del self._open[id(request)]
            if meter is not None:
                self._books.submit(self._write, meter)
            self._alive()
        return response

    async def _answer(self, exchange: Exchange, meter: Meter | None) -> web.StreamResponse:
        if len(self._open) > MOST:
            words = f'more than {MOST} requests at the same time'
            raise RefusedError(429, words, 'too_many_requests', again=1)
        await exchange.read(LONGEST)
        if meter is None:
            return await exchange.forward(self._session, self._upstream)
        await self._held()
        await self._allowed()
        self._in_flight += 1
        try:
            return await exchange.forward(self._session, self._upstream)
        finally:
            self._in_flight -= 1

    async def _held(self) -> None:
        deadline = time.monotonic() + self._deadlines.hold
        while self._hold():
            if time.monotonic() >= deadline:
                raise RefusedError(503, 'the station is paused', 'paused', again=10)
            await asyncio.sleep(_POLL)

    async def _allowed(self) -> None:
        asking = asyncio.get_running_loop().run_in_executor(self._books, self._gate)
        try:
            reason = await asyncio.wait_for(asking, self._deadlines.books)
        except asyncio.TimeoutError:
            words = 'the station does not say whether anything may be spent'
            raise RefusedError(503, words, 'gate_silent', again=10) from None
        if self._fault:
            raise RefusedError(503, self._fault, 'not_recorded')
        if reason:
            raise RefusedError(402, reason, 'budget_used')

    def _write(self, meter: Meter) -> None:
        """Record a call; runs in the thread of the books."""
        try:
            self._record(meter.record(new_call_id(), self._prices, self._redactor))
        except Exception as error:  # noqa: BLE001 - money must not be spent unseen
            self._fault = self._redactor.text(f'a call of the model was not recorded: {error}')
            _LOG.error('%s; no more calls are made', self._fault)


def _refusal(refused: RefusedError, wire: str, meter: Meter | None) -> web.StreamResponse:
    if meter is not None:
        meter.message = refused.words
        # an answer of the provider stands, and so does that there was none
        meter.status = meter.status or (0 if refused.silent else refused.status)
    return refused.response(wire)


def _failed(error: Exception) -> StationError:
    return StationError(
        ErrorCode.SUPERVISOR_SOCKET_FAILED, f'the metering proxy does not run: {error}'
    )
