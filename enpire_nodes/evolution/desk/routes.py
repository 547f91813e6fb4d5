"""The routes of the trial socket; what blocks goes to threads, and nothing is let in unbounded."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from functools import partial
import time
from typing import Any

from aiohttp import web

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.evolution.desk import asks, handlers
from enpire_nodes.evolution.desk.interface import Desk, MOST_BYTES
from enpire_nodes.evolution.desk.views import JobView, to_json

_LONGEST_WAIT = 10.0  # s, of one request
_SLICE = 0.5  # s, after which a request that waits looks whether somebody still listens
_SMALL = 64 * 1024  # bytes of any body but weights
_BODY = 60.0  # s in which a body must have come
_MOST = 32  # requests at a time
_UNKNOWN = (
    ErrorCode.SUPERVISOR_JOB_UNKNOWN,
    ErrorCode.HUB_COMMIT_UNKNOWN,
    ErrorCode.HUB_ARTIFACT_UNKNOWN,
    ErrorCode.IMPROVEMENT_REPLAY_UNREADABLE,
)
_STATUS = {
    ErrorCode.SUPERVISOR_BAD_REQUEST: 400,
    ErrorCode.SUPERVISOR_BUSY: 429,
    ErrorCode.SUPERVISOR_INTERNAL: 500,
    **dict.fromkeys(_UNKNOWN, 404),
}
_REFUSED = 409
_LOG = web.AppKey('log', Callable)
_COUNT = web.AppKey('count', list)


def _answer(error: StationError) -> web.Response:
    body = {'error': error.code.name, 'message': error.message}
    return web.json_response(body, status=_STATUS.get(error.code, _REFUSED))


@web.middleware
async def unanswered(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Turn whatever goes wrong into an answer that says what."""
    count = request.app[_COUNT]
    if count[0] >= _MOST:
        words = f'{_MOST} requests are under way; wait for their answers'
        return _answer(StationError(ErrorCode.SUPERVISOR_BUSY, words))
    count[0] += 1
    try:
        return await handler(request)
    except StationError as error:
        return _answer(error)
    except web.HTTPRequestEntityTooLarge:
        return _answer(asks.bad_request(f'the body has more than {MOST_BYTES >> 20} MB'))
    except web.HTTPException as error:
        words = f'{request.method} {request.path[:80]}: {error.reason}'
        return web.json_response(
            {'error': ErrorCode.SUPERVISOR_BAD_REQUEST.name, 'message': words},
            status=error.status,
        )
    except Exception as error:  # noqa: BLE001 - a defect must not deafen the station
        words = f'{request.method} {request.path[:80]}: {type(error).__name__}: {error}'
        request.app[_LOG](f'the trial socket: {words}')
        return _answer(StationError(ErrorCode.SUPERVISOR_INTERNAL, words))
    finally:
        count[0] -= 1


class Routes:
    """What the socket answers.

    :param pool: for calls of the desk.
    :param slow: for accounts and pictures, which read whole bags.
    """

    def __init__(
        self, desk: Desk, pool: Executor, slow: Executor, *, log: Callable[[str], None]
    ) -> None:
        self._desk, self._pool, self._slow, self._log = desk, pool, slow, log
        self.closing = False

    def add_to(self, application: web.Application) -> None:
        """Add every route."""
        application[_LOG], application[_COUNT] = self._log, [0]
        application.add_routes(
            [
                web.get('/status', self._plain(self._desk.status)),
                web.get('/jobs', self._plain(self._desk.jobs)),
                web.get('/history', self._plain(self._desk.history)),
                web.get('/budget', self._plain(self._desk.budget)),
                web.get('/peers', self._peers),
                web.post('/jobs', self._submit),
                web.get('/jobs/{id}', self._job),
                web.delete('/jobs/{id}', self._cancel),
                web.get('/jobs/{id}/log', self._job_log),
                web.get('/trials/{id}/log', self._trial_log),
                web.get('/trials/{id}/picture', self._picture),
                web.get('/trials/{id}/clip', self._clip),
                web.put('/artifacts', self._store),
                web.post('/ideas', self._idea),
                web.post('/publish', self._publish),
            ]
        )

    async def _call(
        self, function: Callable, *given: Any, slow: bool = False, **named: Any
    ) -> Any:
        loop = asyncio.get_running_loop()
        pool = self._slow if slow else self._pool
        return await loop.run_in_executor(pool, partial(function, *given, **named))

    def _plain(self, function: Callable[[], Any]) -> Callable:
        async def handle(request: web.Request) -> web.Response:
            return _json(await self._call(function))

        return handle

    async def _peers(self, request: web.Request) -> web.Response:
        return _json({'text': await self._call(self._desk.peers)})

    async def _submit(self, request: web.Request) -> web.Response:
        ask = asks.trial_ask(asks.mapping(await _body(request)))
        return _json(await self._call(self._desk.submit, ask))

    async def _job(self, request: web.Request) -> web.Response:
        wait = asks.number(
            request.query.get('wait', ''), 'wait', default=0.0, low=0.0, high=_LONGEST_WAIT
        )
        return _json(await self._awaited(request, wait))

    async def _awaited(self, request: web.Request, wait: float) -> JobView:
        deadline = time.monotonic() + wait
        while True:
            left = max(0.0, deadline - time.monotonic())
            view = await self._call(
                self._desk.job, request.match_info['id'], wait=min(left, _SLICE)
            )
            gone = request.transport is None or request.transport.is_closing()
            if view.ended or time.monotonic() >= deadline or gone or self.closing:
                return view

    async def _cancel(self, request: web.Request) -> web.Response:
        return _json(await self._call(self._desk.cancel, request.match_info['id']))

    async def _job_log(self, request: web.Request) -> web.Response:
        view = await self._call(self._desk.job, request.match_info['id'])
        return _json({'text': await self._call(handlers.job_log, self._desk, view, slow=True)})

    async def _trial_log(self, request: web.Request) -> web.Response:
        text = await self._call(
            handlers.trial_log, self._desk, request.match_info['id'], slow=True
        )
        return _json({'text': text})

    async def _picture(self, request: web.Request) -> web.Response:
        moment = asks.number(
            request.query.get('moment', ''), 'moment', default=0.5, low=0.0, high=1.0
        )
        content = await self._call(
            handlers.trial_picture, self._desk, request.match_info['id'],
            request.query.get('camera', ''), moment, slow=True,
        )  # fmt: skip
        return web.Response(body=content, content_type='image/png')

    async def _clip(self, request: web.Request) -> web.Response:
        content, kind = await self._call(
            handlers.trial_clip, self._desk, request.match_info['id'],
            request.query.get('camera', ''), slow=True,
        )  # fmt: skip
        return web.Response(body=content, content_type=kind)

    async def _store(self, request: web.Request) -> web.Response:
        content = await _body(request, most=MOST_BYTES)
        if not content:
            raise asks.bad_request('the body is empty: it must be the weights')
        return _json({'sha256': await self._call(self._desk.store, content)})

    async def _idea(self, request: web.Request) -> web.Response:
        words = asks.sentence(asks.mapping(await _body(request)))
        return _json(await self._call(self._desk.idea, words))

    async def _publish(self, request: web.Request) -> web.Response:
        commit, weights = asks.proposal(asks.mapping(await _body(request)))
        return _json(await self._call(self._desk.publish, commit, weights))


def _json(value: Any) -> web.Response:
    return web.json_response(to_json(value))


async def _body(request: web.Request, *, most: int = _SMALL) -> bytes:
    if (request.content_length or 0) > most:
        raise asks.bad_request(f'the body has more than {most >> 10} kB')
    try:
        content = await asyncio.wait_for(request.read(), _BODY)
    except TimeoutError as error:
        raise asks.bad_request(f'the body did not come within {_BODY:g} s') from error
    if len(content) > most:
        raise asks.bad_request(f'the body has more than {most >> 10} kB')
    return content
