"""The scripted model: the tests of agents stand on it."""

from __future__ import annotations

from http.client import HTTPConnection
import json
import socket

import pytest
from scripted_model import ScriptedModel, Step

from enpire_nodes.evolution.records import Tokens

TOKENS = Tokens(11, 7, 5, 3, 2)
SCRIPT = [Step(shell='ls', think='hm', tokens=TOKENS), Step(say='done', tokens=TOKENS)]
FUNCTION = {'name': 'Bash', 'parameters': {'properties': {'command': {}}}}
#: Path, tools, first messages, and what an agent adds when the tool ended.
WIRES = {
    'messages': (
        '/v1/messages',
        [{'name': 'Bash', 'input_schema': FUNCTION['parameters']}],
        {'messages': [{'role': 'user', 'content': 'go'}], 'thinking': {'type': 'adaptive'}},
        [
            {'role': 'assistant', 'content': [{'type': 'tool_use', 'id': 'a', 'name': 'Bash'}]},
            {'role': 'user', 'content': [{'type': 'tool_result', 'tool_use_id': 'a'}]},
        ],
    ),
    'responses': (
        '/v1/responses',
        [{'type': 'function', **FUNCTION}],
        {'input': [{'type': 'message', 'role': 'user', 'content': []}]},
        [{'type': 'function_call'}, {'type': 'function_call_output', 'call_id': 'a'}],
    ),
    'chat': (
        '/v1/chat/completions',
        [{'type': 'function', 'function': FUNCTION}],
        {'messages': [{'role': 'user', 'content': 'go'}]},
        [{'role': 'assistant', 'tool_calls': []}, {'role': 'tool', 'tool_call_id': 'a'}],
    ),
}


def post(model: ScriptedModel, path: str, body: dict) -> tuple[int, bytes]:
    connection = HTTPConnection(model.url.removeprefix('http://'), timeout=30)
    headers = {'content-type': 'application/json'}
    connection.request('POST', path, json.dumps({'model': 'm', **body}), headers)
    response = connection.getresponse()
    content = response.read()
    connection.close()
    return response.status, content


def bodies(wire: str) -> tuple[str, dict, dict]:
    """Return the path, the first request, and the one after the tool has ended."""
    path, tools, first, later = WIRES[wire]
    key = 'input' if wire == 'responses' else 'messages'
    again = {**first, key: first[key] + later}
    return path, {**first, 'tools': tools}, {**again, 'tools': tools}


def known(wire: str) -> Tokens:
    return TOKENS if wire == 'messages' else Tokens(11, 7, 0, 3, 2)


@pytest.mark.parametrize('stream', [False, True])
@pytest.mark.parametrize('wire', WIRES)
def test_the_step_is_the_number_of_results(wire, stream):
    path, first, again = bodies(wire)
    asks = {'stream': stream, 'stream_options': {'include_usage': True}}
    with ScriptedModel(SCRIPT) as model:
        for body in (first, first, again):
            status, content = post(model, path, {**body, **asks})
            assert status == 200
        assert b'done' in content
        assert b'Bash' not in content
        assert model.steps() == [0, 0, 1]
        assert model.truth == known(wire) + known(wire) + known(wire)


@pytest.mark.parametrize('wire', WIRES)
def test_a_failure_comes_as_often_as_it_is_told(wire):
    path, first, _ = bodies(wire)
    script = [Step(say='done', tokens=TOKENS, status=529, failures=2)]
    with ScriptedModel(script) as model:
        statuses = [post(model, path, first)[0] for _ in range(3)]
        assert statuses == [529, 529, 200]
        assert model.truth == known(wire)


def test_what_has_no_tools_is_an_aside():
    with ScriptedModel(SCRIPT) as model:
        status, content = post(model, '/v1/messages', WIRES['messages'][2])
        assert status == 200
        assert json.loads(content)['stop_reason'] == 'end_turn'
        assert model.steps() == [-1]


def test_an_unknown_path():
    with ScriptedModel(SCRIPT) as model:
        assert post(model, '/v1/embeddings', {})[0] == 404
        assert model.asked == []


def test_a_unix_socket(tmp_path):
    with ScriptedModel(SCRIPT, tmp_path / 's') as model:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(30)
            client.connect(str(tmp_path / 's'))
            client.sendall(b'GET /v1/models HTTP/1.1\r\nHost: x\r\n\r\n')
            assert client.recv(100).startswith(b'HTTP/1.1 200')
        assert model.truth == Tokens()
