"""The client of the Agent Client Protocol, with a small agent that speaks it."""

from __future__ import annotations

import json
from pathlib import Path
import sys
import time

import pytest

from enpire_nodes.evolution.agents.acp import Acp, AcpConversation
from enpire_nodes.evolution.agents.interface import AgentEvent, AgentTask, EventKind
from enpire_nodes.evolution.agents.process import AgentProcess

#: Asks for a permission in the middle of a prompt; knows the session "old" alone.
AGENT = """
import json, sys
LOADS = sys.argv[1] == 'loads'
def send(**message):
    print(json.dumps({'jsonrpc': '2.0', **message}), flush=True)
def update(**content):
    send(method='session/update', params={'sessionId': 's', 'update': content})
asked = None
for line in sys.stdin:
    m = json.loads(line)
    method, number = m.get('method'), m.get('id')
    if method == 'initialize':
        send(id=number, result={'protocolVersion': 1, 'agentCapabilities': {'loadSession': LOADS}})
    elif method == 'session/new':
        send(id=number, result={'sessionId': 'new'})
    elif method == 'session/load' and m['params']['sessionId'] == 'old':
        update(sessionUpdate='tool_call', toolCallId='past', title='past', status='completed')
        send(id=number, result=None)
    elif method == 'session/load':
        send(id=number, error={'code': -32602, 'message': 'no such session'})
    elif method == 'session/prompt':
        asked = number
        update(sessionUpdate='agent_thought_chunk', content={'type': 'text', 'text': 'hm'})
        update(sessionUpdate='tool_call', toolCallId='t1', title='ls', kind='execute')
        send(id='p1', method='session/request_permission', params={'sessionId': 's', 'options': [
            {'optionId': 'no', 'kind': 'reject_once'}, {'optionId': 'yes', 'kind': 'allow_once'}]})
    elif number == 'p1':
        allowed = m['result']['outcome'] == {'outcome': 'selected', 'optionId': 'yes'}
        status = 'completed' if allowed else 'failed'
        update(sessionUpdate='tool_call_update', toolCallId='t1', status=status)
        send(id='f1', method='fs/read_text_file', params={})
    elif number == 'f1':
        assert m['error']['code'] == -32601
        send(id=asked, result={'stopReason': 'end_turn'})
"""


def a_task(tmp_path: Path, session: str = '') -> AgentTask:
    return AgentTask('go', 'm', tmp_path, tmp_path, session=session, resume=bool(session))


def live(tmp_path: Path, task: AgentTask, mode: str) -> tuple[list[AgentEvent], int]:
    events: list[AgentEvent] = []
    argv = [sys.executable, '-c', AGENT, mode]
    life = AgentProcess(
        argv, {}, tmp_path / 'log', events.append, reader=AcpConversation(task), workdir=tmp_path
    )
    life.start()
    deadline = time.monotonic() + 40.0
    while life.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    life.kill()
    return events, life.poll()


@pytest.mark.parametrize(
    ('session', 'mode', 'found'),
    [
        ('', 'loads', 'new'),
        ('old', 'loads', 'old'),
        ('lost', 'loads', 'new'),
        ('old', 'no', 'new'),
    ],
)
def test_a_prompt_is_played_to_its_end(tmp_path, session, mode, found):
    events, code = live(tmp_path, a_task(tmp_path, session), mode)
    assert code == 0
    kinds = [event.kind.value for event in events]
    expected = ['session', 'thinking', 'thinking', 'tool_started', 'tool_ended', 'turn_ended']
    assert kinds == expected
    assert events[0].session == found
    assert events[3].call == 't1'
    assert all(event.ok for event in events)


def test_an_error_ends_the_turn(tmp_path):
    conversation = AcpConversation(a_task(tmp_path))
    conversation.opening()
    line = {'id': 1, 'error': {'code': -32000, 'message': 'Authentication required'}}
    events = conversation.feed(json.dumps(line))
    assert [event.kind for event in events] == [EventKind.ERROR, EventKind.TURN_ENDED]
    assert 'Authentication' in events[0].words
    assert conversation.over


def test_another_version_of_the_protocol_is_told(tmp_path):
    conversation = AcpConversation(a_task(tmp_path))
    conversation.opening()
    events = conversation.feed('{"id": 1, "result": {"protocolVersion": 7}}')
    assert [event.kind for event in events] == [EventKind.ERROR, EventKind.TURN_ENDED]
    assert 'version 7' in events[0].words
    assert conversation.over
    assert conversation.answers() == []


def test_an_empty_error_is_none(tmp_path):
    conversation = AcpConversation(a_task(tmp_path))
    line = {'id': 2, 'error': None, 'result': {'sessionId': 's7'}}
    assert [event.session for event in conversation.feed(json.dumps(line))] == ['s7', '']


@pytest.mark.parametrize(
    ('kinds', 'outcome'),
    [
        (['allow_once', 'allow_always'], {'outcome': 'selected', 'optionId': 'allow_always'}),
        (['reject_once'], {'outcome': 'cancelled'}),
        ([], {'outcome': 'cancelled'}),
    ],
)
def test_permissions(tmp_path, kinds, outcome):
    conversation = AcpConversation(a_task(tmp_path))
    options = [{'optionId': kind, 'kind': kind} for kind in kinds]
    asked = {'id': 9, 'method': 'session/request_permission', 'params': {'options': options}}
    conversation.feed(json.dumps(asked))
    (answer,) = conversation.answers()
    assert json.loads(answer) == {'jsonrpc': '2.0', 'id': 9, 'result': {'outcome': outcome}}


def test_what_its_command_names_is_brought_in(tmp_path):
    script = tmp_path / 'node_modules' / 'agent' / 'main.mjs'
    script.parent.mkdir(parents=True)
    script.touch()
    found = Acp(f'cat {script} {script} /no/such/file --flag').requirements()
    assert found[1:] == (tmp_path / 'node_modules',)
    assert len(found) == 2


def test_a_cut_answer_is_no_good_end(tmp_path):
    conversation = AcpConversation(a_task(tmp_path))
    (event,) = conversation.feed('{"id": 3, "result": {"stopReason": "cancelled"}}')
    assert event.kind is EventKind.TURN_ENDED
    assert not event.ok


def test_an_interruption_cancels_the_prompt(tmp_path):
    conversation = AcpConversation(a_task(tmp_path))
    assert conversation.interruption() == []
    conversation.feed('{"id": 2, "result": {"sessionId": "s7"}}')
    (line,) = conversation.interruption()
    assert json.loads(line)['method'] == 'session/cancel'
    assert json.loads(line)['params'] == {'sessionId': 's7'}


def test_the_command_is_split_as_a_shell_does(tmp_path):
    argv = Acp('cat --option "two words"').argv(a_task(tmp_path))
    assert argv[0].endswith('cat') or 'coreutils' in argv[0]
    assert argv[1:] == ['--option', 'two words']
