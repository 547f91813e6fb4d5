"""Calls through the proxy: they arrive, are answered as they come, and are counted."""

from __future__ import annotations

import gzip
import json
import threading
import time

from model_double import event, events, MODEL, PATHS, SECRET, whole
import pytest
import zstandard

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.evolution.metering.proxy import MeteringProxy
from enpire_nodes.evolution.records import Tokens

WIRES = ('messages', 'responses', 'chat')
TOLD = {
    'messages': (Tokens(1000, 800, 50, 110, 70), 1000 + 80 + 37.5 + 40 + 1100),
    'responses': (Tokens(1000, 800, 0, 110, 70), 1000 + 80 + 1100),
    'chat': (Tokens(1000, 800, 0, 110, 70), 1000 + 80 + 1100),
}


@pytest.mark.parametrize('wire', WIRES)
@pytest.mark.parametrize('stream', [False, True])
def test_a_call_of_each_wire_is_counted(bench, wire, stream):
    made = bench()
    before = time.time_ns()

    answer = made.ask(wire, {'stream': stream})
    body = answer.read()

    sent = b''.join(events(wire)) if stream else whole(wire)
    if wire == 'chat' and stream:  # the client did not ask for the usage
        sent = sent.replace(events('chat')[3], b'')
    assert (answer.status, body) == (200, sent)
    call = made.call()
    tokens, price = TOLD[wire]
    assert (call.wire, call.model, call.status) == (wire, MODEL, 200)
    assert (call.counted, call.tokens, call.message) == (True, tokens, '')
    assert call.price == pytest.approx(price / 1e6)
    assert before <= call.start_ns <= call.first_ns <= call.end_ns
    assert made.proxy.in_flight == 0


def test_a_client_that_asks_for_the_usage_of_a_chat_gets_it(bench):
    made = bench()

    asked = {'stream': True, 'stream_options': {'include_usage': True}}
    body = made.ask('chat', asked).read()

    assert body == b''.join(events('chat'))
    assert made.call().counted


def test_a_chat_is_not_cut_up_when_its_answer_is_no_stream(bench):
    made = bench(answer=lambda answering, _: answering.whole(whole('chat')))

    answer = made.ask('chat', {'stream': True})

    assert answer.read() == whole('chat')
    assert made.call().counted


@pytest.mark.parametrize('wire', WIRES)
def test_the_first_event_arrives_before_the_second_is_sent(bench, wire):
    arrived = threading.Event()
    stream = events(wire)

    def answer(answering, _):
        answering.begin_stream()
        answering.chunk(stream[0])
        assert arrived.wait(30)
        for one in stream[1:]:
            answering.chunk(one)
        answering.end_stream()

    made = bench(answer=answer)

    got = made.ask(wire, {'stream': True})
    first = b''
    while not first.endswith(b'\n\n'):
        part = got.read1()
        assert part
        first += part

    assert first == stream[0]
    assert made.proxy.in_flight == 1
    assert made.calls == []
    arrived.set()
    got.read()
    assert made.call().counted


def test_the_head_of_an_answer_arrives_before_its_body(bench):
    seen = threading.Event()

    def answer(answering, _):
        answering.begin_stream()
        assert seen.wait(30)
        answering.end_stream()

    made = bench(answer=answer)

    assert made.ask('messages', {'stream': True}).status == 200
    seen.set()


def test_a_connection_is_used_again(bench):
    made = bench()
    connection = made.connect()

    for wire in WIRES:
        made.ask(wire, {'stream': True}, connection=connection).read()
        socket = connection.sock
        assert socket is not None

    assert connection.sock is socket
    assert made.call(3).counted


def test_what_takes_no_tokens_passes_and_is_no_call(bench):
    made = bench(gate=lambda: 'all is spent')

    models = made.ask(method='GET', path='/v1/models?limit=3', body=b'')
    counted = made.ask(path='/v1/messages/count_tokens?beta=true')

    assert json.loads(models.read())['data'] == []
    assert json.loads(counted.read())['input_tokens'] == 123
    assert [one.path for one in made.double.asked] == [
        '/v1/models?limit=3',
        '/v1/messages/count_tokens?beta=true',
    ]
    assert made.double.asked[0].headers['authorization'] == f'Bearer {SECRET}'
    assert made.double.asked[1].headers['x-api-key'] == SECRET
    assert made.calls == []


@pytest.mark.parametrize('path', ['/', '/v1/files', '/v1/models/..', '/v1/messages/batches'])
def test_nothing_else_passes(bench, path):
    made = bench()

    answer = made.ask(path=path)

    assert answer.status == 404
    assert 'not passed on' in json.loads(answer.read())['error']['message']
    assert made.double.asked == []
    assert made.calls == []


def test_a_provider_below_a_prefix(bench):
    made = bench(
        prefix='/gateway/v2', answer=lambda answering, _: answering.whole(whole('messages'))
    )

    made.ask('messages', path='/v1/messages?beta=true').read()

    assert made.double.asked[0].path == '/gateway/v2/messages?beta=true'
    assert made.call().counted


def test_a_large_request_arrives_whole(bench):
    made = bench()
    text = 'x' * 16 * 2**20

    answer = made.ask('responses', {'input': text})

    assert (answer.status, answer.read()) == (200, whole('responses'))
    assert json.loads(made.double.asked[0].body)['input'] == text


@pytest.mark.parametrize('wire', ['responses', 'chat'])
@pytest.mark.parametrize(
    ('encoding', 'encode'), [('gzip', gzip.compress), ('zstd', zstandard.compress)]
)
def test_an_encoded_request_is_not_touched(bench, wire, encoding, encode):
    made = bench()
    body = encode(json.dumps({'stream': True}).encode())

    made.ask(wire, body, Content_Encoding=encoding).read()

    assert made.double.asked[0].body == body
    assert made.double.asked[0].headers['content-encoding'] == encoding


def test_a_request_in_chunks_and_one_that_waits_for_leave(bench):
    made = bench()
    connection = made.connect()
    connection.request(
        'POST', PATHS['messages'], iter([b'{"a"', b': 1}']), {'Expect': '100-continue'}
    )

    answer = connection.getresponse()

    assert answer.status == 200
    assert made.double.asked[0].body == b'{"a": 1}'
    assert 'expect' not in made.double.asked[0].headers


@pytest.mark.parametrize(
    ('encoding', 'encode'), [('gzip', gzip.compress), ('zstd', zstandard.compress)]
)
def test_an_answer_that_comes_encoded_is_counted(bench, encoding, encode):
    body = encode(b''.join(events('messages')))

    def answer(answering, _):
        headers = {'content_type': 'text/event-stream', 'content_encoding': encoding}
        answering.whole(body, **headers)

    made = bench(answer=answer)
    got = made.ask('messages', {'stream': True}, Accept_Encoding='br, gzip')

    assert got.read() == b''.join(events('messages'))
    assert got.headers['content-encoding'] is None
    assert made.double.asked[0].headers['accept-encoding'] == 'identity'
    assert made.call().counted


def test_an_answer_that_nobody_can_decode_is_recorded_as_not_counted(bench):
    made = bench(answer=lambda answering, _: answering.whole(b'\x8b', content_encoding='br'))

    answer = made.ask('chat')

    assert answer.status == 502
    assert "encoding 'br'" in json.loads(answer.read())['error']['message']
    call = made.call()
    assert (call.status, call.counted, call.model) == (200, False, 'asked-model')
    assert call.price != call.price


def test_a_stream_under_a_wrong_name_is_counted(bench):
    def answer(answering, _):
        answering.whole(b''.join(events('messages')), content_type='text/plain')

    made = bench(answer=answer)
    made.ask('messages', {'stream': True}).read()

    assert made.call().counted


def test_an_answer_without_usage_is_recorded_as_not_counted(bench):
    def answer(answering, _):
        answering.begin_stream()
        answering.chunk(event({'model': MODEL, 'choices': [{'delta': {'content': 'hi'}}]}))
        answering.chunk(event('[DONE]'))
        answering.end_stream()

    made = bench(answer=answer)
    made.ask('chat', {'stream': True}).read()

    call = made.call()
    assert (call.status, call.counted, call.tokens, call.model) == (200, False, Tokens(), MODEL)
    assert call.price != call.price
    assert 'did not say' in call.message


def test_answers_in_the_background_are_refused(bench):
    made = bench()

    answer = made.ask('responses', {'background': True})

    assert answer.status == 400
    assert 'cannot be metered' in json.loads(answer.read())['error']['message']
    assert made.double.asked == []


def test_two_proxies_do_not_share_a_socket(bench):
    made = bench()

    with pytest.raises(StationError) as caught:
        MeteringProxy(
            made.socket,
            upstream=made.double.url,
            key=None,
            gate=str,
            record=print,
            prices=made.proxy._prices,
        ).start()

    assert caught.value.code == ErrorCode.SUPERVISOR_SOCKET_FAILED
    assert made.ask().status == 200


def test_it_leaves_nothing_behind(bench):
    made = bench()
    made.ask().read()

    made.proxy.close()
    made.proxy.close()

    assert not made.socket.exists()
    assert not [one for one in threading.enumerate() if one.name.startswith('metering')]
