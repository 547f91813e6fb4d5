"""A proxy before a double of a provider."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.client import HTTPResponse
import json
from pathlib import Path
from typing import Any

from model_double import ModelDouble, PATHS, play, SECRET, UnixConnection, until
import pytest

from enpire_nodes.evolution.metering.key import ModelKey
from enpire_nodes.evolution.metering.prices import Price, PriceList
from enpire_nodes.evolution.metering.proxy import MeteringProxy
from enpire_nodes.evolution.records import ModelCall

PRICES = PriceList({'some-model-*': Price(1.0, 0.1, 1.25, 2.0, 10.0)}, 'USD')


class Bench:
    """A provider, the proxy, and what was recorded."""

    def __init__(self, stack: ExitStack, folder: Path, **options: Any) -> None:
        answer = options.pop('answer', play)
        prefix = options.pop('prefix', '')
        self.double = stack.enter_context(ModelDouble(answer))
        self.calls: list[ModelCall] = []
        self.socket = folder / 'model.sock'
        options = {
            'upstream': self.double.url + prefix,
            'key': ModelKey(SECRET),
            'gate': lambda: '',
            'record': self.calls.append,
            'prices': PRICES,
            **options,
        }
        self.proxy = stack.enter_context(MeteringProxy(self.socket, **options))

    def connect(self) -> UnixConnection:
        return UnixConnection(self.socket)

    def ask(
        self,
        wire: str = 'messages',
        body: Any = None,
        *,
        method: str = 'POST',
        path: str = '',
        connection: UnixConnection | None = None,
        **headers: str,
    ) -> HTTPResponse:
        """Send a request; the answer is yet to be read."""
        connection = connection or self.connect()
        if not isinstance(body, bytes):
            body = json.dumps({'model': 'asked-model', **(body or {})}).encode()
        headers = {name.replace('_', '-'): value for name, value in headers.items()}
        connection.request(method, path or PATHS[wire], body, headers)
        answer = connection.getresponse()
        answer.connection = connection
        return answer

    def call(self, number: int = 1) -> ModelCall:
        """Return the only call, or the last of so many, once it is recorded."""
        until(lambda: len(self.calls) >= number)
        assert len(self.calls) == number
        return self.calls[-1]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    with ExitStack() as stack:
        yield lambda **options: Bench(stack, tmp_path, **options)
