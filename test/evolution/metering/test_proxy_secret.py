"""The key is seen by the provider and by nobody else."""

from __future__ import annotations

from contextlib import suppress
import gzip
from http.client import HTTPException
import json
import logging

from model_double import event, events, ModelDouble, SECRET, until
import pytest

from enpire_nodes.evolution.metering.key import ModelKey
from enpire_nodes.rollout.record_json import to_json

WORDS = 'the agent wrote these words'


def echo(answering, asked):
    """Repeat the key wherever one can, as a careless gateway might."""
    body = json.loads(asked.body)
    words = f'bad key {SECRET}: {asked.headers}'
    headers = {'x_echo': f'Bearer {SECRET}', 'x_fine': 'yes'}
    kind = body['kind']
    if kind == 'error':
        answering.whole(json.dumps({'error': {'message': words}}).encode(), 401, **headers)
    elif kind == 'packed':
        packed = gzip.compress(json.dumps({'model': SECRET, 'error': words}).encode())
        answering.whole(packed, content_encoding='gzip', **headers)
    elif kind == 'cut':
        answering.begin_stream(**headers)
        data = event({'error': {'message': words}, 'model': SECRET})
        cut = data.index(SECRET.encode()) + 7
        answering.chunk(data[:cut])
        answering.chunk(data[cut:])
        answering.end_stream()
    elif kind == 'reason':
        answering.wfile.write(f'HTTP/1.1 403 {SECRET}\r\nContent-Length: 0\r\n\r\n'.encode())
    elif kind == 'rubbish':
        answering.wfile.write(f'{SECRET} is no HTTP\r\n\r\n'.encode())
        answering.die()
    else:
        answering.begin_stream(**headers)
        answering.chunk(events('messages')[0])
        answering.die()


@pytest.mark.parametrize('wire', ['messages', 'responses', 'chat'])
@pytest.mark.parametrize('kind', ['error', 'packed', 'cut', 'reason', 'rubbish', 'dying'])
def test_it_is_in_no_answer_record_or_log(bench, caplog, capfd, wire, kind):
    caplog.set_level(logging.DEBUG)
    made = bench(answer=echo)

    answer = made.ask(
        wire, {'kind': kind, 'stream': True, 'words': WORDS}, Authorization='Bearer agents-dummy'
    )
    body = b''
    with suppress(HTTPException, ConnectionError):
        while part := answer.read1():
            body += part
    call = made.call()
    made.proxy.close()

    seen = ''.join(
        [
            body.decode(),
            f'{answer.status} {answer.reason} {answer.headers}',
            repr(call),
            json.dumps(to_json(call)),
            repr(vars(made.proxy)),
            caplog.text,
            *capfd.readouterr(),
        ]
    )
    assert SECRET not in seen
    assert WORDS not in seen.replace(body.decode(), '')
    asked = made.double.asked[0].headers
    assert 'agents-dummy' not in str(asked)
    name, value = ('x-api-key', SECRET) if wire == 'messages' else (
        'authorization', f'Bearer {SECRET}',
    )  # fmt: skip
    assert asked[name] == value
    if kind in ('error', 'packed', 'cut'):
        assert answer.headers['x-fine'] == 'yes'
        assert answer.headers['x-echo'] is None
        assert '*' * len(SECRET) in body.decode()


def test_it_is_in_no_refusal(bench, caplog):
    caplog.set_level(logging.DEBUG)
    with ModelDouble() as gone:
        url = gone.url
    made = bench(upstream=url, gate=lambda: '' if len(made.calls) < 1 else 'used')
    seen = ''
    for path in ('', '', '/v1/elsewhere'):
        answer = made.ask(path=path)
        seen += f'{answer.headers}{answer.read().decode()}'
        until(lambda: made.calls != [])

    assert SECRET not in seen + caplog.text + repr(made.calls)


def test_without_a_key_none_is_sent(bench):
    made = bench(key=None)

    made.ask('messages', Authorization='Bearer dummy', X_Api_Key='dummy').read()

    assert {'authorization', 'x-api-key'}.isdisjoint(made.double.asked[0].headers)


def test_it_is_not_in_the_environment_of_the_process(monkeypatch, bench):
    key = ModelKey.load('SOME_KEY', None, {'SOME_KEY': SECRET})

    made = bench(key=key)
    made.ask('chat').read()

    assert made.double.asked[0].headers['authorization'] == f'Bearer {SECRET}'
