"""What is read out of an answer while it passes."""

from __future__ import annotations

import itertools
import json

from hypothesis import given, settings
from hypothesis import strategies as st
from model_double import CHAT_USAGE, event, events, MODEL, RESPONSES_USAGE, whole
import pytest

from enpire_nodes.evolution.metering.tap import Tap
from enpire_nodes.evolution.records import Tokens

WIRES = ('messages', 'responses', 'chat')
TOLD = {
    'messages': Tokens(1000, 800, 50, 110, 70),
    'responses': Tokens(1000, 800, 0, 110, 70),
    'chat': Tokens(1000, 800, 0, 110, 70),
}


def tapped(wire: str, *parts: bytes, streamed: bool = True, ended: bool = True) -> Tap:
    tap = Tap(wire, streamed=streamed)
    for part in parts:
        tap.feed(part)
    tap.end(whole=ended)
    return tap


@pytest.mark.parametrize('wire', WIRES)
@pytest.mark.parametrize('crlf', [False, True])
@settings(deadline=None)
@given(cuts=st.lists(st.integers(0, 900), max_size=8))
def test_a_stream_says_all_however_it_is_cut(wire, crlf, cuts):
    stream = b''.join(events(wire))
    stream = stream.replace(b'\n', b'\r\n') if crlf else stream
    bounds = [0, *sorted(cuts), len(stream)]

    tap = tapped(wire, *(stream[begin:end] for begin, end in itertools.pairwise(bounds)))

    assert (tap.usage.tokens, tap.model, tap.counted) == (TOLD[wire], MODEL, True)
    assert not tap.error
    assert not tap.fault


@pytest.mark.parametrize('wire', WIRES)
def test_an_answer_that_is_not_streamed(wire):
    body = whole(wire)

    tap = tapped(wire, body[:30], body[30:], streamed=False)
    cut = tapped(wire, body[:30], streamed=False, ended=False)

    assert (tap.usage.tokens, tap.model, tap.counted) == (TOLD[wire], MODEL, True)
    assert (cut.usage, cut.counted) == (None, False)


def test_a_message_that_was_cut_off_keeps_what_its_start_said():
    tap = tapped('messages', *events('messages')[:2], ended=False)

    assert tap.usage.tokens == Tokens(1000, 800, 50, 1)
    assert not tap.counted


def test_an_end_of_a_message_without_the_numbers_of_its_start_keeps_them():
    usage = {'output_tokens': 42, 'input_tokens': None}
    ends = event({'type': 'message_delta', 'delta': {}, 'usage': usage})

    tap = tapped('messages', events('messages')[0], ends)

    assert tap.usage.tokens == Tokens(1000, 800, 50, 42)
    assert tap.counted


@pytest.mark.parametrize('wire', WIRES)
def test_a_stream_that_breaks_off_is_not_counted(wire):
    assert not tapped(wire, *events(wire)[:1], ended=False).counted


@pytest.mark.parametrize('kind', ['response.incomplete', 'response.failed'])
def test_responses_that_do_not_complete_are_counted(kind):
    error = {'code': 'server_error', 'message': 'it broke'}
    response = {'model': MODEL, 'usage': RESPONSES_USAGE, 'error': error}

    tap = tapped('responses', event({'type': kind, 'response': response}))

    assert (tap.counted, tap.usage.tokens, tap.error) == (True, TOLD['responses'], 'it broke')


@pytest.mark.parametrize(
    ('wire', 'error'),
    [
        ('messages', {'type': 'error', 'error': {'type': 'x', 'message': 'too busy'}}),
        ('responses', {'type': 'error', 'code': 'x', 'message': 'too busy'}),
        ('chat', {'error': {'message': 'too busy'}}),
    ],
)
def test_errors_within_a_stream(wire, error):
    # as it comes on the responses wire, the error has the word `error` as its type alone
    assert tapped(wire, event(error)).error == 'too busy'


def test_usage_within_a_choice_and_usage_of_every_chunk():
    inside = {'choices': [{'delta': {}, 'finish_reason': 'stop', 'usage': CHAT_USAGE}]}
    growing = [
        {'choices': [{}], 'usage': {**CHAT_USAGE, 'completion_tokens': count}}
        for count in (1, 110)
    ]

    assert tapped('chat', event(inside), event('[DONE]')).usage.tokens == TOLD['chat']
    assert tapped('chat', *map(event, growing)).usage.tokens == TOLD['chat']


def test_broken_json_is_passed_over():
    broken = b'data: {"usage": {"prompt_tokens": 3\n\n'

    tap = tapped('chat', broken, b'data: [[["usage"\n\n', *events('chat'))

    assert (tap.usage.tokens, tap.counted) == (TOLD['chat'], True)


def test_the_word_usage_in_a_text_is_no_usage():
    said = event({'choices': [{'delta': {'content': json.dumps({'usage': CHAT_USAGE})}}]})

    assert tapped('chat', said).usage is None


def test_only_the_usage_of_a_chat_is_left_out_of_its_events():
    stream = events('chat')
    tap = Tap('chat', streamed=True)

    passed = [one for part in stream for one in tap.feed(part)]

    assert passed == [*stream[:3], stream[4]]
    assert tap.end(whole=True) == b''


def test_what_is_too_long_to_be_read_still_passes():
    tap = Tap('chat', streamed=True, longest=15)

    passed = tap.feed(b'data: 1\n\ndata: 12345') + tap.feed(b'678901234') + tap.feed(b'5\n\n')

    assert b''.join(passed) + tap.end(whole=True) == b'data: 1\n\ndata: 123456789012345\n\n'
    assert 'longer than 15' in tap.fault
    assert not tap.counted


def test_an_answer_that_is_too_long_is_not_counted():
    body = whole('chat')
    tap = Tap('chat', streamed=False, longest=len(body) - 1)

    tap.feed(body)
    tap.feed(body)  # after what was given up, this alone would be read as the answer
    tap.end(whole=True)

    assert f'longer than {len(body) - 1}' in tap.fault
    assert (tap.usage, tap.counted) == (None, False)
    assert tapped('chat', body, streamed=False).counted


def test_an_answer_in_the_background_is_not_counted():
    queued = json.dumps({'model': MODEL, 'status': 'queued', 'usage': None}).encode()

    assert not tapped('responses', queued, streamed=False).counted


@settings(deadline=None)
@given(
    parts=st.lists(st.binary(max_size=30) | st.sampled_from(events('chat')), max_size=6),
    wire=st.sampled_from(WIRES),
    streamed=st.booleans(),
)
def test_nothing_breaks_it(parts, wire, streamed):
    tap = tapped(wire, *parts, streamed=streamed)

    assert isinstance(tap.counted, bool)
