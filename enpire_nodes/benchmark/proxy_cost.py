"""What the metering proxy costs a call of a model: the same call with it and without.

A stub on the loopback plays the provider in a process of its own, and the proxy runs in another
one and writes a journal as on a station. Calls go to the stub over TCP and through the proxy over
its Unix socket in turns, on connections that are kept, so that whatever else the computer does
meets both alike. Each answer is a stream of small events, one write each. Between two pairs there
is a pause, as an agent has something to do between two calls; without it, a call also waits until
the record of the one before it is on the disk.
"""

from __future__ import annotations

import argparse
import asyncio
from contextlib import ExitStack
from dataclasses import dataclass
from http.client import HTTPConnection
import json
import os
from pathlib import Path
import select
import socket
import subprocess
import sys
import tempfile
import time

from enpire_nodes.benchmark.spread import Spread
from enpire_nodes.evolution.journal import Journal
from enpire_nodes.evolution.metering.key import ModelKey
from enpire_nodes.evolution.metering.prices import PriceList
from enpire_nodes.evolution.metering.proxy import MeteringProxy

#: What the cost of one call may be at p99, ms.
GOAL = 3.0
_MODULE = 'enpire_nodes.benchmark.proxy_cost'
_START = 60.0  # s for a process to be ready
_PATH = '/v1/messages'
_USAGE = {'input_tokens': 1000, 'cache_read_input_tokens': 800, 'output_tokens': 100}


class BenchFailedError(RuntimeError):
    """A process of the measurement did not start, or a call was not answered."""


@dataclass(frozen=True, slots=True)
class ProxyCost:
    """Times of calls in ms, from sending a request until its answer has ended.

    :param direct: without the proxy.
    :param through: with it.
    :param cost: by how much each call through the proxy took longer than the one beside it.
    :param first: the same until the first byte of the answer's body.
    :param events: of each answer.
    :param body: bytes of each request.
    :param pause: between two pairs, s.
    :param load: of the computer over the last minute, when the measurement began.
    """

    direct: Spread
    through: Spread
    cost: Spread
    first: Spread
    events: int
    body: int
    pause: float
    load: float

    def __str__(self) -> str:
        cost, first = self.cost, self.first
        return (
            f'metering proxy: {cost.p50:.2f} ms more per call at the median, {cost.p99:.2f} ms at '
            f'p99 (goal {GOAL:g} ms); until the first byte {first.p50:.2f} ms and '
            f'{first.p99:.2f} ms\n'
            f'  {cost.n} pairs of calls of {self.body} bytes with {self.events} events each, '
            f'{self.pause * 1e3:g} ms apart; median and p99 {self.direct.p50:.2f} and '
            f'{self.direct.p99:.2f} ms without, {self.through.p50:.2f} and '
            f'{self.through.p99:.2f} ms with; load {self.load:.1f}'
        )


def measure(
    pairs: int = 500, *, events: int = 20, body: int = 64 * 1024, pause: float = 0.02
) -> ProxyCost:
    """Measure so many pairs of calls.

    :param events: of each answer.
    :param body: bytes of each request.
    :param pause: between two pairs, s.
    :raises BenchFailedError: see there.
    """
    load = os.getloadavg()[0]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix='enpire-proxy-')))
        url = _process(stack, 'stub', str(events))
        path = _process(stack, 'proxy', str(folder), url)
        direct = stack.enter_context(_Caller(url.rpartition(':')[2], body))
        through = stack.enter_context(_Caller(path, body))
        for _ in range(min(20, pairs)):
            direct.call()
            through.call()
        times = []
        for number in range(pairs):
            time.sleep(pause)
            if number % 2:
                after = through.call()
                times.append((direct.call(), after))
            else:
                times.append((direct.call(), through.call()))
    return ProxyCost(
        direct=Spread.of(one.whole for one, _ in times),
        through=Spread.of(other.whole for _, other in times),
        cost=Spread.of(other.whole - one.whole for one, other in times),
        first=Spread.of(other.first - one.first for one, other in times),
        events=events,
        body=body,
        pause=pause,
        load=load,
    )


@dataclass(frozen=True, slots=True)
class _Took:
    first: float
    whole: float


class _Caller(HTTPConnection):
    """Calls over one connection.

    :param place: port on the loopback, or path of a Unix socket.
    """

    def __init__(self, place: str, body: int) -> None:
        super().__init__('127.0.0.1', timeout=30.0)
        self._place = place
        request = {'model': 'stub', 'stream': True, 'text': ''}
        filling = 'x' * max(0, body - len(json.dumps(request)))
        self._body = json.dumps({**request, 'text': filling}).encode()

    def __enter__(self) -> _Caller:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def connect(self) -> None:
        """Connect to whichever it is."""
        if self._place.isdigit():
            self.sock = socket.create_connection(('127.0.0.1', int(self._place)), self.timeout)
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        else:
            self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.sock.settimeout(self.timeout)
            self.sock.connect(self._place)

    def call(self) -> _Took:
        """Make a call and return how long it took, ms."""
        began = time.perf_counter()
        try:
            self.request('POST', _PATH, self._body, {'Content-Type': 'application/json'})
            answer = self.getresponse()
            start = answer.read1()
            first = time.perf_counter()
            rest = answer.read()
        except OSError as error:
            raise BenchFailedError(f'a call was not answered: {error}') from error
        if answer.status != 200 or b'message_delta' not in start + rest:
            raise BenchFailedError(f'a call was answered with {answer.status}: {start[:200]!r}')
        return _Took((first - began) * 1e3, (time.perf_counter() - began) * 1e3)


def _process(stack: ExitStack, *arguments: str) -> str:
    """Start a part of the measurement and return where it listens."""
    process = subprocess.Popen(
        [sys.executable, '-m', _MODULE, *arguments],
        env={**os.environ, 'PYTHONPATH': os.pathsep.join(filter(None, sys.path))},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    def end() -> None:
        process.kill()
        process.communicate()

    stack.callback(end)
    ready, _, _ = select.select([process.stdout], [], [], _START)
    place = process.stdout.readline().strip() if ready else ''
    if not place:
        raise BenchFailedError(f'the {arguments[0]} did not start; its own words are above')
    return place


def _answer(events: int) -> list[bytes]:
    """Return the parts of an answer as they are written, the head first."""
    usage = {**_USAGE, 'output_tokens': 1}
    middle = {'type': 'content_block_delta', 'index': 0, 'delta': {'text': 'some words of it'}}
    data = [
        {'type': 'message_start', 'message': {'model': 'stub', 'usage': usage}},
        *[middle] * max(0, events - 3),
        {'type': 'message_delta', 'delta': {}, 'usage': _USAGE},
        {'type': 'message_stop'},
    ]
    parts = [f'event: {one["type"]}\ndata: {json.dumps(one)}\n\n'.encode() for one in data]
    head = b'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n'
    return [head + b'\r\n', *(b'%x\r\n%s\r\n' % (len(part), part) for part in parts)]


async def _stub(events: int) -> None:
    parts = _answer(events)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b'\r\n\r\n')).lower()
                length = head.partition(b'content-length:')[2].partition(b'\r\n')[0]
                await reader.readexactly(int(length))
                for part in parts:
                    writer.write(part)
                    await asyncio.sleep(0)
                writer.write(b'0\r\n\r\n')
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(serve, '127.0.0.1', 0)
    _tell(f'http://127.0.0.1:{server.sockets[0].getsockname()[1]}')
    await server.serve_forever()


def _proxy(folder: Path, url: str) -> None:
    journal = Journal(folder)
    proxy = MeteringProxy(
        folder / 'model.sock',
        upstream=url,
        key=ModelKey('sk-of-the-benchmark'),
        gate=str,
        record=journal.record,
        prices=PriceList(),
    )
    with proxy:
        _tell(str(folder / 'model.sock'))
        sys.stdin.read()  # until whoever measures is gone


def _tell(words: str) -> None:
    sys.stdout.write(words + '\n')
    sys.stdout.flush()


def _main() -> None:
    if sys.argv[1:2] == ['stub']:
        asyncio.run(_stub(int(sys.argv[2])))
    elif sys.argv[1:2] == ['proxy']:
        _proxy(Path(sys.argv[2]), sys.argv[3])
    else:
        parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
        parser.add_argument('--pairs', type=int, default=500, help='pairs of calls')
        parser.add_argument('--events', type=int, default=20, help='of each answer')
        parser.add_argument('--body', type=int, default=64 * 1024, help='bytes of each request')
        parser.add_argument('--pause', type=float, default=0.02, help='between two pairs, s')
        given = parser.parse_args()
        _tell(str(measure(**vars(given))))


if __name__ == '__main__':
    _main()
