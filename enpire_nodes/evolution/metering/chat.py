"""Streams of the chat wire say what they took only when they are asked to."""

from __future__ import annotations

from collections.abc import Mapping
import json

_ASK = b'"stream_options":{"include_usage":true}'


def ask_for_usage(body: bytes) -> bytes | None:
    """Return the request with the wish for its usage added.

    Every byte of the request is kept where it has no options of its own.

    :return: None when nothing is to be added: it is no stream, it asks already, or it is no JSON.
    """
    try:
        request = json.loads(body.decode())
    except (ValueError, RecursionError):
        return None
    if not isinstance(request, Mapping) or request.get('stream') is not True:
        return None
    options = request.get('stream_options')
    if isinstance(options, Mapping) and options.get('include_usage') is True:
        return None
    if 'stream_options' not in request:
        head, _, rest = body.partition(b'{')
        return head + b'{' + _ASK + b',' + rest
    kept = dict(options) if isinstance(options, Mapping) else {}
    changed = {**request, 'stream_options': {**kept, 'include_usage': True}}
    return json.dumps(changed).encode()
