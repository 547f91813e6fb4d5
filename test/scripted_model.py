"""A model that plays a script, on the wires of three providers: for tests, without a network.

Which step it plays is the number of results of tools since the last prompt in the request, so
that it keeps no state: an agent that tries again, or goes on after it was killed, gets the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
import gzip
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import json
from pathlib import Path
import socket
import socketserver
import threading
import time

from scripted_wires import call_of, Step, Wire, WIRES

from enpire_nodes.evolution.records import Tokens

__all__ = ['Asked', 'ScriptedModel', 'Step']

#: What a request without tools is answered, such as one for a title.
ASIDE = Step(say='A title', tokens=Tokens(10, 0, 0, 5, 0))


@dataclass(frozen=True)
class Asked:
    """A request for an answer of the model.

    :param step: that was played; -1 for an aside.
    :param headers: with names in small letters.
    :param tokens: what the answer said that it took; None when it failed, or the client left.
    """

    wire: str
    body: dict
    headers: dict[str, str]
    step: int
    status: int
    tokens: Tokens | None


class ScriptedModel:
    """A server on the loopback, or on a Unix socket.

    :param script: its last step is played again when there are more results of tools.
    :param path: of a Unix socket; None listens on a port of 127.0.0.1.
    """

    def __init__(self, script: Sequence[Step], path: Path | None = None) -> None:
        self.script = list(script)
        self._asked: list[Asked] = []
        self._busy = 0
        self._failed: dict[int, int] = {}
        self._lock = threading.Condition()
        kind = _Server if path is None else _UnixServer
        self._server = kind(('127.0.0.1', 0) if path is None else str(path), _Handler)
        self._server.model = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self.url = f'http://127.0.0.1:{self._server.server_address[1]}' if path is None else ''

    def __enter__(self) -> ScriptedModel:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join(10.0)
        self._server.server_close()

    @property
    def asked(self) -> list[Asked]:
        """All requests, those that are being answered included: it waits for them."""
        with self._lock:
            # an answer is noted when it was sent, which is a moment after it was read
            if not self._lock.wait_for(lambda: not self._busy, 60.0):
                raise TimeoutError('a request is not answered')
            return list(self._asked)

    @property
    def busy(self) -> bool:
        """Whether a request is being answered now."""
        with self._lock:
            return bool(self._busy)

    @property
    def truth(self) -> Tokens:
        """What all answers together took."""
        return sum((a.tokens for a in self.asked if a.tokens is not None), Tokens())

    def steps(self) -> list[int]:
        """Return the steps that were answered, in turn."""
        return [asked.step for asked in self.asked if asked.tokens is not None]

    def begin(self) -> None:
        """Note that a request came."""
        with self._lock:
            self._busy += 1

    def note(self, asked: Asked) -> None:
        """Keep a request that was answered."""
        with self._lock:
            self._busy -= 1
            self._asked.append(asked)
            self._lock.notify_all()

    def fails(self, index: int, step: Step) -> bool:
        """Say whether this time the step fails."""
        with self._lock:
            count = self._failed[index] = self._failed.get(index, 0) + 1
        return bool(step.status) and count <= step.failures


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    model: ScriptedModel


class _UnixServer(_Server):
    address_family = socket.AF_UNIX

    def server_bind(self) -> None:
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = 'localhost', 0


class _Handler(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    server: _Server

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def address_string(self) -> str:
        return 'client'

    def do_HEAD(self) -> None:
        self._json({}, 200)

    def do_GET(self) -> None:
        model = {'id': 'scripted', 'object': 'model', 'created': 0, 'owned_by': 'test'}
        if self.path.split('?')[0].endswith('/models'):
            return self._json({'object': 'list', 'data': [model], 'has_more': False}, 200)
        return self._json({'error': {'message': 'unknown path'}}, 404)

    def do_POST(self) -> None:
        request = json.loads(self._body() or b'{}')
        path = self.path.split('?')[0]
        if path.endswith('/count_tokens'):
            return self._json({'input_tokens': 100}, 200)
        wire = next((wire for end, wire in WIRES.items() if path.endswith(end)), None)
        if wire is None:
            return self._json({'error': {'message': 'unknown path'}}, 404)
        return self._play(wire, request)

    def _play(self, wire: Wire, request: dict) -> None:
        model = self.server.model
        tools = wire.tools(request)
        index = min(wire.position(request), len(model.script) - 1) if tools else -1
        step = model.script[index] if tools else ASIDE
        status, tokens = 200, None
        model.begin()
        try:
            time.sleep(step.delay)
            if model.fails(index, step):
                status = step.status
                error = {'type': 'scripted', 'message': f'scripted failure {status}'}
                return self._json({'type': 'error', 'error': error}, status)
            whole = wire.whole(request, step, call_of(step, tools, request))
            if request.get('stream'):
                self._stream(wire, whole)
            else:
                self._json(whole, 200)
            tokens = wire.truth(step.tokens)
            return None
        except ConnectionError:
            self.close_connection = True  # the client went away: nothing was taken
            return None
        finally:
            headers = {name.lower(): value for name, value in self.headers.items()}
            model.note(Asked(wire.name, request, headers, index, status, tokens))

    def _stream(self, wire: Wire, whole: dict) -> None:
        self.send_response(200)
        self.send_header('content-type', 'text/event-stream')
        self.send_header('connection', 'close')
        self.end_headers()
        self.close_connection = True
        for name, data in wire.stream(whole):
            text = data if isinstance(data, str) else json.dumps(data)
            head = f'event: {name}\n' if name else ''
            self.wfile.write(f'{head}data: {text}\n\n'.encode())
            self.wfile.flush()

    def _json(self, data: dict, status: int) -> None:
        content = json.dumps(data).encode()
        self.send_response(status)
        self.send_header('content-type', 'application/json')
        self.send_header('content-length', str(len(content)))
        self.end_headers()
        if self.command != 'HEAD':
            self.wfile.write(content)

    def _body(self) -> bytes:
        if self.headers.get('transfer-encoding', '').lower() == 'chunked':
            parts = []
            while size := int(self.rfile.readline().split(b';')[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            content = b''.join(parts)
        else:
            content = self.rfile.read(int(self.headers.get('content-length') or 0))
        if self.headers.get('content-encoding') == 'gzip':
            return gzip.decompress(content)
        return content
