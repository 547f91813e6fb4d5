"""One request through the proxy: to the provider, and its answer back as it comes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
import io
import json

import aiohttp
from aiohttp import hdrs, web

from enpire_nodes.evolution.metering.chat import ask_for_usage
from enpire_nodes.evolution.metering.deadlines import Deadlines
from enpire_nodes.evolution.metering.encodings import Decoder, decoder, DecodingError
from enpire_nodes.evolution.metering.key import ModelKey, Redactor
from enpire_nodes.evolution.metering.meter import Meter
from enpire_nodes.evolution.metering.upstream import answer_headers, Upstream
from enpire_nodes.evolution.metering.wires import error_body, Route

#: Above this, a body is handed to the socket in parts.
_LARGE = 512 * 1024


class RefusedError(Exception):
    """A request that gets an answer of the proxy's own.

    :param code: a word for programs.
    :param again: s after which it may be tried again; 0 never.
    :param silent: whether it is because the provider said nothing.
    """

    def __init__(
        self, status: int, words: str, code: str, *, again: int = 0, silent: bool = False
    ) -> None:
        super().__init__(words)
        self.status, self.words, self.code = status, words, code
        self.again, self.silent = again, silent

    def response(self, wire: str) -> web.Response:
        """Return it as an answer that clients of a wire understand."""
        headers = {hdrs.RETRY_AFTER: str(self.again)} if self.again else {}
        # the libraries of the providers, within most clients, heed this one
        headers['x-should-retry'] = 'true' if self.again else 'false'
        return web.Response(
            status=self.status,
            body=error_body(wire, self.status, self.words, self.code),
            content_type='application/json',
            headers=headers,
        )


class Exchange:
    """Carries one request.

    :param meter: of its call; None when no tokens are spent.
    :param alive: called whenever something passes.
    """

    def __init__(
        self,
        request: web.BaseRequest,
        route: Route,
        meter: Meter | None,
        *,
        key: ModelKey | None,
        deadlines: Deadlines,
        alive: Callable[[], None],
    ) -> None:
        self._request, self._route, self._meter = request, route, meter
        self._redactor = Redactor(key)
        self._deadlines, self._alive = deadlines, alive
        self._body = b''
        #: Whether the client did not ask for the usage that its stream is going to hold.
        self._added = False
        self._response: web.StreamResponse | None = None

    async def read(self, longest: int) -> None:
        """Read the body of the request.

        :raises RefusedError: it is too long, takes too long, or asks for what cannot be metered.
        """
        request = self._request
        if request.headers.get(hdrs.EXPECT, '').lower() == '100-continue' and request.transport:
            request.transport.write(b'HTTP/1.1 100 Continue\r\n\r\n')
        try:
            self._body = await asyncio.wait_for(self._read(longest), self._deadlines.body)
        except asyncio.TimeoutError:
            raise RefusedError(408, 'the request did not come to its end', 'timeout') from None
        if self._meter is not None:
            self._meter.asked(self._body)
            if hdrs.CONTENT_ENCODING not in request.headers:
                self._adjust()

    async def _read(self, longest: int) -> bytes:
        parts, size = [], 0
        async for part in self._request.content.iter_any():
            size += len(part)
            if size > longest:
                words = f'the request is longer than {longest} bytes'
                raise RefusedError(413, words, 'request_too_large')
            parts.append(part)
            self._alive()
        return b''.join(parts)

    def _adjust(self) -> None:
        if self._route.wire == 'chat':
            asking = ask_for_usage(self._body)
            if asking is not None:
                self._body, self._added = asking, True
        elif self._route.wire == 'responses' and _in_background(self._body):
            words = 'answers in the background cannot be metered; leave out `background`'
            raise RefusedError(400, words, 'background_refused')

    async def forward(
        self, session: aiohttp.ClientSession, upstream: Upstream
    ) -> web.StreamResponse:
        """Send the request on and pass on the answer.

        :raises RefusedError: the provider was not reached or did not answer.
        """
        path, _, query = self._request.raw_path.partition('?')
        body = self._body
        self._body = b''
        try:
            async with session.request(
                self._request.method,
                upstream.url(path, query),
                data=io.BytesIO(body) if len(body) > _LARGE else body or None,
                headers=upstream.request_headers(self._request.headers, self._route.wire),
                allow_redirects=False,
                proxy=upstream.proxy,
            ) as answer:
                # one that is left before its end is closed, which the provider sees
                return await self._pass(answer)
        except (aiohttp.ClientError, DecodingError, asyncio.TimeoutError, OSError) as error:
            return self._broken(error, upstream.host)

    async def _pass(self, answer: aiohttp.ClientResponse) -> web.StreamResponse:
        meter = self._meter
        if meter is not None:
            meter.status = answer.status
        self._alive()
        encoding = answer.headers.get(hdrs.CONTENT_ENCODING, '').strip().lower()
        undo = decoder(encoding)
        if undo is None:
            words = f'the model provider answered in the encoding {encoding!r}, unasked; '
            raise RefusedError(502, words + 'it can be neither read nor metered', 'bad_encoding')
        plain = encoding in ('', 'identity')
        response = self._response = web.StreamResponse(
            status=answer.status,
            reason=self._redactor.text(answer.reason or ''),
            headers=answer_headers(
                answer.headers, self._redactor, same_length=plain and not self._added
            ),
        )
        await self._guarded(response.prepare(self._request))
        await self._copy(answer, undo, response)
        return response

    async def _copy(
        self, answer: aiohttp.ClientResponse, undo: Decoder, response: web.StreamResponse
    ) -> None:
        kind = answer.headers.get(hdrs.CONTENT_TYPE, '').lower()
        meter, whole = self._meter, False
        try:
            async for part in answer.content.iter_any():
                self._alive()
                await self._write(self._redactor.feed(undo.decompress(part)), kind, response)
            await self._write(self._redactor.end(), kind, response)
            whole = True
        finally:
            rest = meter.tap.end(whole=whole) if meter is not None and meter.tap else b''
        if self._cut and rest:
            await self._guarded(response.write(rest))

    async def _write(self, data: bytes, kind: str, response: web.StreamResponse) -> None:
        if not data:
            return
        if self._meter is None:
            await self._guarded(response.write(data))
        elif self._added:
            events = self._meter.answered(data, kind)
            kept = b''.join(events) if self._cut else data
            if kept:
                await self._guarded(response.write(kept))
        else:
            await self._guarded(response.write(data))
            self._meter.answered(data, kind)

    @property
    def _cut(self) -> bool:
        """Whether the client gets the events of the answer without that of its usage."""
        tap = self._meter.tap if self._meter is not None else None
        return self._added and tap is not None and tap.streamed

    async def _guarded(self, writing: object) -> None:
        """Write to the client; one that takes nothing is cut off."""
        transport = self._request.transport
        if transport is None:
            writing.close()
            raise ConnectionResetError('the client went away')
        loop = asyncio.get_running_loop()
        guard = loop.call_later(self._deadlines.client, transport.abort)
        try:
            await writing
        finally:
            guard.cancel()

    def _broken(self, error: Exception, host: str) -> web.StreamResponse:
        words = self._redactor.text(str(error)) or type(error).__name__
        if self._response is None:
            late = isinstance(error, asyncio.TimeoutError)
            if late and not isinstance(error, aiohttp.ConnectionTimeoutError):
                words = f'the model provider at {host} did not answer in time'
                raise RefusedError(504, words, 'timeout', again=5, silent=True) from None
            words = f'the model provider at {host} could not be reached: {words}'
            raise RefusedError(502, words, 'unreachable', again=5, silent=True) from None
        # the client must see that the answer is not whole: its connection just ends
        transport = self._request.transport
        if self._meter is not None:
            gone = transport is None or transport.is_closing()
            words = 'the client went away' if gone else f'the model provider broke off: {words}'
            self._meter.message = self._meter.message or words
        if transport is not None:
            transport.abort()
        return self._response


def _in_background(body: bytes) -> bool:
    if b'"background"' not in body:
        return False
    try:
        request = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(request, dict) and bool(request.get('background'))
