"""However a call ends, it is recorded once, with what is known of it."""

from __future__ import annotations

import contextlib
from http.client import HTTPException, IncompleteRead
import json
import socket
import threading

from model_double import event, events, MODEL, ModelDouble, until, whole
import pytest

from enpire_nodes.evolution.metering import proxy as proxy_module
from enpire_nodes.evolution.metering.deadlines import Deadlines
from enpire_nodes.evolution.records import Tokens

WIRES = ('messages', 'responses', 'chat')
BEGUN = Tokens(1000, 800, 50, 1)


class Stuck:
    """A provider that sends some events and then nothing until it may go on."""

    def __init__(self, count: int = 2) -> None:
        self.count, self.go_on, self.sent = count, threading.Event(), threading.Event()

    def __call__(self, answering, _):
        if self.count:
            answering.begin_stream()
            for one in events('messages')[: self.count]:
                answering.chunk(one)
        self.sent.set()
        self.go_on.wait(30)
        answering.close_connection = True


@pytest.fixture
def stuck():
    stuck = Stuck()
    yield stuck
    stuck.go_on.set()


@pytest.mark.parametrize('status', [400, 401, 429, 500, 529])
@pytest.mark.parametrize('wire', WIRES)
def test_errors_of_the_provider_pass(bench, wire, status):
    body = json.dumps({'error': {'type': 'x', 'message': 'not so'}}).encode()
    made = bench(answer=lambda answering, _: answering.whole(body, status, retry_after='7'))

    answer = made.ask(wire, {'stream': True})

    assert (answer.status, answer.read()) == (status, body)
    assert answer.headers['retry-after'] == '7'
    call = made.call()
    assert (call.status, call.counted, call.message) == (status, False, 'not so')
    assert (call.tokens, call.price, call.model) == (Tokens(), 0.0, 'asked-model')


def test_a_client_that_goes_away_midway(bench, stuck):
    made = bench(answer=stuck)
    answer = made.ask('messages', {'stream': True})
    answer.read1()
    assert stuck.sent.wait(30)
    until(lambda: made.proxy.in_flight == 1)

    answer.connection.sock.shutdown(socket.SHUT_RDWR)
    answer.close()

    call = made.call()
    assert (call.status, call.counted, call.tokens) == (200, False, BEGUN)
    assert call.price == pytest.approx((1000 + 80 + 37.5 + 40 + 10) / 1e6)
    assert 'the client went away' in call.message
    assert made.proxy.in_flight == 0


def test_a_client_that_goes_away_before_the_answer(bench, stuck):
    stuck.count = 0
    made = bench(answer=stuck)
    connection = made.connect()
    connection.request('POST', '/v1/messages', b'{"model": "asked-model"}')
    assert stuck.sent.wait(30)

    connection.close()

    call = made.call()
    assert (call.status, call.counted, call.model) == (0, False, 'asked-model')
    assert call.message == 'the client went away'


def test_the_provider_is_told_when_a_client_goes_away(bench):
    broken = threading.Event()

    def answer(answering, _):
        answering.begin_stream()
        with contextlib.suppress(ConnectionError):
            for _ in range(3000):
                answering.chunk(events('messages')[1])
                if broken.wait(0.01):
                    return
        broken.set()

    made = bench(answer=answer)
    got = made.ask('messages', {'stream': True})
    got.read1()
    got.connection.sock.shutdown(socket.SHUT_RDWR)
    got.close()

    assert broken.wait(30)
    made.call()


@pytest.mark.parametrize('wire', WIRES)
def test_a_provider_that_dies_midway(bench, wire):
    def answer(answering, _):
        answering.begin_stream()
        answering.chunk(events(wire)[0])
        answering.die()

    made = bench(answer=answer)
    got = made.ask(wire, {'stream': True})

    with pytest.raises((IncompleteRead, ConnectionError)):
        got.read()
    call = made.call()
    assert (call.status, call.counted, call.model) == (200, False, MODEL)
    assert call.tokens == (BEGUN if wire == 'messages' else Tokens())
    assert 'the model provider broke off' in call.message


def test_a_provider_that_dies_after_all_was_said(bench):
    def answer(answering, _):
        answering.begin_stream()
        for one in events('messages'):
            answering.chunk(one)
        answering.die()

    made = bench(answer=answer)
    with contextlib.suppress(IncompleteRead, ConnectionError):
        made.ask('messages', {'stream': True}).read()

    assert made.call().counted


def test_a_provider_that_dies_within_a_body(bench):
    def answer(answering, _):
        answering.begin(content_length='500')
        answering.wfile.write(whole('messages'))
        answering.die()

    made = bench(answer=answer)
    got = made.ask('messages')

    with pytest.raises((IncompleteRead, ConnectionError)):
        got.read()
    assert not made.call().counted


@pytest.mark.parametrize('wire', WIRES)
def test_a_provider_that_is_not_there(bench, wire):
    with ModelDouble() as gone:
        url = gone.url
    made = bench(upstream=url)

    answer = made.ask(wire)
    error = json.loads(answer.read())['error']

    assert answer.status == 502
    assert 'could not be reached' in error['message']
    call = made.call()
    assert (call.status, call.counted, call.tokens, call.price) == (0, False, Tokens(), 0.0)
    assert call.message == error['message']


def test_a_provider_that_hangs_up_or_speaks_something_else(bench):
    def answer(answering, asked):
        if b'rubbish' in asked.body:
            answering.wfile.write(b'this is no HTTP\r\n\r\n')
        answering.die()

    made = bench(answer=answer)

    for number, word in enumerate(('rubbish', 'nothing'), 1):
        answer = made.ask('messages', {'say': word})
        assert answer.status == 502
        assert made.call(number).status == 0


def test_a_provider_that_says_nothing(bench, stuck):
    stuck.count = 0
    made = bench(answer=stuck, deadlines=Deadlines(silence=0.2))

    answer = made.ask('messages')

    assert answer.status == 504
    assert 'in time' in json.loads(answer.read())['error']['message']
    assert (made.call().status, made.call().counted) == (0, False)


def test_a_provider_that_falls_silent(bench, stuck):
    made = bench(answer=stuck, deadlines=Deadlines(silence=1.5))
    answer = made.ask('messages', {'stream': True})

    with pytest.raises((IncompleteRead, ConnectionError)):
        answer.read()
    call = made.call()
    assert (call.counted, call.tokens) == (False, BEGUN)


def test_a_request_that_does_not_come_to_its_end(bench):
    made = bench(deadlines=Deadlines(body=0.2))
    connection = made.connect()
    connection.putrequest('POST', '/v1/messages')
    connection.putheader('Content-Length', '100')
    connection.endheaders(b'{')

    assert connection.getresponse().status == 408
    assert made.call().status == 408
    assert made.double.asked == []


def test_a_request_that_is_too_long(bench, monkeypatch):
    monkeypatch.setattr(proxy_module, 'LONGEST', 1000)
    made = bench()

    answer = made.ask('messages', {'text': 'x' * 2000})

    assert answer.status == 413
    assert made.call().status == 413


def test_a_client_that_takes_nothing_is_cut_off(bench):
    def answer(answering, _):
        answering.begin_stream()
        with contextlib.suppress(ConnectionError):
            for _ in range(100_000):
                answering.chunk(event('x' * 10_000))

    made = bench(answer=answer, deadlines=Deadlines(client=0.3))
    got = made.ask('messages', {'stream': True})

    call = made.call()
    assert 'the client went away' in call.message
    got.close()


def test_calls_that_run_when_the_proxy_closes_are_recorded(bench, stuck):
    made = bench(answer=stuck)
    answer = made.ask('messages', {'stream': True})
    answer.read1()
    until(lambda: stuck.sent.is_set())

    made.proxy.close()

    call = made.call()
    assert (call.counted, call.tokens) == (False, BEGUN)
    assert 'the station stopped' in call.message


def test_idle_connections_do_not_use_up_the_station(bench, monkeypatch):
    monkeypatch.setattr(proxy_module, 'CONNECTIONS', 2)
    made = bench()
    idle = [made.connect() for _ in range(2)]
    for connection in idle:
        made.ask(connection=connection).read()

    with pytest.raises((ConnectionError, HTTPException)):
        made.ask()
    idle[0].close()
    until(lambda: answers(made))
    assert made.ask(connection=idle[1]).status == 200


def answers(made) -> bool:
    with contextlib.suppress(ConnectionError, HTTPException):
        return made.ask().status == 200
    return False


def test_too_many_at_the_same_time(bench, stuck, monkeypatch):
    monkeypatch.setattr(proxy_module, 'MOST', 1)
    made = bench(answer=stuck)
    first = made.ask('messages', {'stream': True})
    first.read1()

    second = made.ask('messages')

    assert (second.status, second.headers['retry-after']) == (429, '1')
    assert made.call().status == 429
