"""Readers against streams that the real agents printed.

Claude Code 2.1.330, Codex 0.169.0, Kimi Code 2.1.0, with the script of ``scripts/agents_night``;
paths and ids were replaced.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from enpire_nodes.evolution.agents.claude import ClaudeReader
from enpire_nodes.evolution.agents.codex import CodexReader
from enpire_nodes.evolution.agents.interface import AgentEvent, EventKind
from enpire_nodes.evolution.agents.kimi import KimiReader
from enpire_nodes.evolution.records import Tokens

STREAMS = Path(__file__).parent / 'streams'
READERS = {'claude': ClaudeReader, 'codex': CodexReader, 'kimi': KimiReader}


def read(stream: str) -> list[AgentEvent]:
    reader = READERS[stream.split('-')[0]]()
    lines = (STREAMS / f'{stream}.jsonl').read_text().splitlines()
    return [event for line in lines for event in reader.feed(line)]


def of(events: list[AgentEvent], kind: EventKind) -> list[AgentEvent]:
    return [event for event in events if event.kind is kind]


@pytest.mark.parametrize('agent', READERS)
def test_a_turn_is_read_to_its_end(agent):
    events = read(agent)
    sessions = of(events, EventKind.SESSION)
    assert sessions
    assert '00000000-0000-4000-8000-' in sessions[0].session
    assert events[-1].kind is EventKind.TURN_ENDED
    assert events[-1].ok
    assert of(events, EventKind.THINKING)
    assert not of(events, EventKind.ERROR)


@pytest.mark.parametrize('agent', READERS)
def test_every_tool_that_starts_ends(agent):
    events = read(agent)
    started, ended = of(events, EventKind.TOOL_STARTED), of(events, EventKind.TOOL_ENDED)
    assert len(started) == 4
    assert [event.call for event in started] == [event.call for event in ended]
    assert all(event.call and event.tool for event in started)
    assert 'git log' in started[0].words
    assert all(event.ok for event in ended)


def test_claude_says_what_each_call_took():
    tokens = [event.tokens for event in of(read('claude'), EventKind.USAGE)]
    expected = [Tokens(1000 + i, 800 + 7 * i, 50 + 3 * i, 100 + i, 70 + i) for i in range(5)]
    assert tokens == expected


def test_codex_says_what_a_turn_took():
    tokens = [event.tokens for event in of(read('codex'), EventKind.USAGE)]
    assert tokens == [Tokens(5010, 4070, 0, 510, 360)]


def test_codex_counts_a_second_turn_from_the_first():
    line = (
        '{"type":"turn.completed","usage":{"input_tokens":%d,"cached_input_tokens":%d,'
        '"output_tokens":%d,"reasoning_output_tokens":%d}}'
    )
    reader = CodexReader()
    reader.feed(line % (100, 40, 10, 5))
    usage = reader.feed(line % (160, 70, 14, 6))[0]
    assert usage.tokens == Tokens(30, 30, 0, 4, 1)


def test_codex_does_not_count_what_an_earlier_life_took():
    reader = CodexReader(resumed=True)
    events = reader.feed('{"type":"turn.completed","usage":{"input_tokens":5401}}')
    assert [event.kind for event in events] == [EventKind.TURN_ENDED]


@pytest.mark.parametrize('agent', ['claude', 'codex'])
def test_a_used_budget_is_an_error_in_its_own_words(agent):
    events = read(f'{agent}-budget')
    errors = of(events, EventKind.ERROR)
    assert 'the budget of tokens is used' in errors[-1].words
    assert events[-1].kind is EventKind.TURN_ENDED
    assert not events[-1].ok


def test_kimi_does_not_say_that_a_turn_ended_when_it_failed():
    assert not of(read('kimi-budget'), EventKind.TURN_ENDED)


@pytest.mark.parametrize('agent', READERS)
@pytest.mark.parametrize(
    'line',
    [
        '',
        'words',
        '{',
        '[1]',
        '{"type":"new"}',
        '{"role":null}',
        '{"type":"_eq__"}',
        '{"type":"usage"}',
        '{"type":[]}',
        '{"a":' * 100_000,
    ],
)
def test_what_is_not_known_is_skipped(agent, line):
    assert READERS[agent]().feed(line) == []


def test_claude_tells_of_tries():
    line = '{"type":"system","subtype":"api_retry","attempt":2,"error_status":529}'
    (event,) = ClaudeReader().feed(line)
    assert event.kind is EventKind.RETRY
    assert '529' in event.words
