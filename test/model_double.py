"""A model provider on the loopback that plays all three wires, and a client of a Unix socket."""

from __future__ import annotations

from collections.abc import Callable, Mapping
import contextlib
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import json
from pathlib import Path
import socket
import threading
import time

PATHS = {
    'messages': '/v1/messages',
    'responses': '/v1/responses',
    'chat': '/v1/chat/completions',
}
MODEL = 'some-model-1'
SECRET = 'sk-test-0123456789abcdef'
#: What each wire says of the same call: fresh 1000, cached 800, output 110, reasoning 70; written
#: 50 on the one that tells it.
MESSAGES_USAGE = {
    'input_tokens': 1000,
    'cache_read_input_tokens': 800,
    'cache_creation_input_tokens': 50,
    'cache_creation': {'ephemeral_5m_input_tokens': 30, 'ephemeral_1h_input_tokens': 20},
    'output_tokens': 110,
    'output_tokens_details': {'thinking_tokens': 70},
}
RESPONSES_USAGE = {
    'input_tokens': 1800,
    'input_tokens_details': {'cached_tokens': 800},
    'output_tokens': 110,
    'output_tokens_details': {'reasoning_tokens': 70},
    'total_tokens': 1910,
}
CHAT_USAGE = {
    'prompt_tokens': 1800,
    'prompt_tokens_details': {'cached_tokens': 800},
    'completion_tokens': 110,
    'completion_tokens_details': {'reasoning_tokens': 70},
    'total_tokens': 1910,
}
USAGE = {'messages': MESSAGES_USAGE, 'responses': RESPONSES_USAGE, 'chat': CHAT_USAGE}


def event(data: object, name: str = '') -> bytes:
    """Return one server-sent event."""
    text = data if isinstance(data, str) else json.dumps(data)
    return (f'event: {name}\n' if name else '').encode() + f'data: {text}\n\n'.encode()


def events(wire: str, words: tuple[str, ...] = ('one', 'two')) -> list[bytes]:
    """Return a whole stream of a wire, event by event."""
    if wire == 'messages':
        begun = {**MESSAGES_USAGE, 'output_tokens': 1, 'output_tokens_details': None}
        message = {'id': 'msg_1', 'type': 'message', 'model': MODEL, 'usage': begun}
        ends = {'stop_reason': 'end_turn'}
        return [
            event({'type': 'message_start', 'message': message}, 'message_start'),
            *(
                event({'type': 'content_block_delta', 'delta': {'text': word}}, 'delta')
                for word in words
            ),
            event({'type': 'message_delta', 'delta': ends, 'usage': MESSAGES_USAGE}, 'end'),
            event({'type': 'message_stop'}, 'message_stop'),
        ]
    if wire == 'responses':
        begun = {'id': 'resp_1', 'status': 'in_progress', 'model': MODEL, 'usage': None}
        ended = {**begun, 'status': 'completed', 'usage': RESPONSES_USAGE, 'error': None}
        return [
            event({'type': 'response.created', 'response': begun}),
            *(event({'type': 'response.output_text.delta', 'delta': word}) for word in words),
            event({'type': 'response.completed', 'response': ended}),
        ]
    chunk = {'id': 'chatcmpl-1', 'model': MODEL, 'usage': None}
    return [
        *(event({**chunk, 'choices': [{'delta': {'content': word}}]}) for word in words),
        event({**chunk, 'choices': [{'delta': {}, 'finish_reason': 'stop'}]}),
        event({**chunk, 'choices': [], 'usage': CHAT_USAGE}),
        event('[DONE]'),
    ]


def whole(wire: str) -> bytes:
    """Return an answer that is not streamed."""
    return json.dumps({'id': 'x', 'model': MODEL, 'usage': USAGE[wire]}).encode()


@dataclass
class Asked:
    """A request, as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Answering(BaseHTTPRequestHandler):
    """What a test's own answer writes with."""

    protocol_version = 'HTTP/1.1'

    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        length = int(headers.get('content-length', 0))
        asked = Asked(self.command, self.path, headers, self.rfile.read(length))
        self.server.double.asked.append(asked)
        with contextlib.suppress(ConnectionError):
            self.server.double.answer(self, asked)

    def do_GET(self) -> None:
        self.do_POST()

    def whole(self, body: bytes, status: int = 200, **headers: str) -> None:
        """Answer with a body of a known length."""
        self.begin(status, content_length=str(len(body)), **headers)
        self.wfile.write(body)

    def begin(self, status: int = 200, **headers: str) -> None:
        """Send the head of an answer; its type is JSON unless given."""
        self.send_response(status)
        for name, value in {'content_type': 'application/json', **headers}.items():
            self.send_header(name.replace('_', '-'), value)
        self.end_headers()

    def begin_stream(self, **headers: str) -> None:
        """Send the head of a stream."""
        headers = {'content_type': 'text/event-stream', **headers}
        self.begin(transfer_encoding='chunked', **headers)

    def chunk(self, data: bytes) -> None:
        """Send a part of a stream."""
        self.wfile.write(b'%x\r\n%s\r\n' % (len(data), data))
        self.wfile.flush()

    def end_stream(self) -> None:
        """End a stream as it should."""
        self.wfile.write(b'0\r\n\r\n')

    def die(self) -> None:
        """Break the connection."""
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)


def play(answering: Answering, asked: Asked) -> None:
    """Answer as a provider would."""
    wire = next((one for one, path in PATHS.items() if asked.path.startswith(path)), '')
    if asked.method == 'GET' or 'count_tokens' in asked.path or not wire:
        return answering.whole(b'{"data": [], "input_tokens": 123}')
    try:
        request = json.loads(asked.body)
    except ValueError:
        request = {}
    if not request.get('stream'):
        return answering.whole(whole(wire))
    answering.begin_stream()
    told = wire != 'chat' or (request.get('stream_options') or {}).get('include_usage')
    for one in events(wire):
        if told or b'"prompt_tokens"' not in one:
            answering.chunk(one)
    return answering.end_stream()


@dataclass
class ModelDouble:
    """The provider; ``with ModelDouble(answer) as double`` serves at ``double.url``."""

    answer: Callable[[Answering, Asked], None] = play
    asked: list[Asked] = field(default_factory=list)

    def __enter__(self) -> ModelDouble:
        self._server = ThreadingHTTPServer(('127.0.0.1', 0), Answering)
        self._server.daemon_threads = True
        self._server.double = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        self.url = f'http://127.0.0.1:{self._server.server_port}'
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join(20)
        self._server.server_close()


class UnixConnection(HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path, timeout: float = 40.0) -> None:
        super().__init__('localhost', timeout=timeout)
        self._path = str(path)

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def until(true: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, 'it did not come about'
        time.sleep(0.005)
