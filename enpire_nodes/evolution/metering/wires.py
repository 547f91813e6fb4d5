"""The ways to speak to a model that pass, and how each is told that something is refused."""

from __future__ import annotations

from dataclasses import dataclass
import json
import re

#: A name of a model within a path; no dots alone, so that no path leads elsewhere.
_MODEL = re.compile(r'/v1/models(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._:@-]{1,200}){0,3}/?')
_CALLS = {
    '/v1/messages': 'messages',
    '/v1/responses': 'responses',
    '/v1/chat/completions': 'chat',
}
_TYPES = {
    400: 'invalid_request_error',
    402: 'billing_error',
    404: 'not_found_error',
    408: 'timeout_error',
    413: 'request_too_large',
    429: 'rate_limit_error',
    503: 'overloaded_error',
    504: 'timeout_error',
}


@dataclass(frozen=True, slots=True)
class Route:
    """Where a request goes.

    :param wire: ``messages``, ``responses`` or ``chat``; empty when it may be of any.
    :param call: whether a model answers, and tokens are spent.
    """

    wire: str
    call: bool = False


def route(method: str, path: str) -> Route | None:
    """Return what a request is, or None when it may not pass.

    :param path: as in the request, undecoded, without its query.
    """
    if method == 'POST' and path in _CALLS:
        return Route(_CALLS[path], call=True)
    if method == 'POST' and path == '/v1/messages/count_tokens':
        return Route('messages')
    if method == 'GET' and _MODEL.fullmatch(path):
        return Route('')
    return None


def error_body(wire: str, status: int, words: str, code: str) -> bytes:
    """Return a refusal in the shape that clients of a wire print.

    :param code: a word for programs, such as ``budget_used``.
    """
    kind = _TYPES.get(status, 'api_error')
    if wire == 'messages':
        body = {'type': 'error', 'error': {'type': kind, 'message': words}}
    else:
        kind = 'insufficient_quota' if status == 402 else kind
        body = {'error': {'message': words, 'type': kind, 'param': None, 'code': code}}
    return json.dumps(body).encode()
