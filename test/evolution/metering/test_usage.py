"""Tokens by class out of what providers say."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from model_double import CHAT_USAGE, MESSAGES_USAGE, RESPONSES_USAGE
import pytest

from enpire_nodes.evolution.metering.usage import read_usage, Usage
from enpire_nodes.evolution.records import Tokens

COUNTS = st.integers(0, 10**9)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
NAMES = st.sampled_from(
    [*MESSAGES_USAGE, *RESPONSES_USAGE, *CHAT_USAGE, 'iterations', 'cached_tokens']
)


@pytest.mark.parametrize(
    ('wire', 'usage', 'expected'),
    [
        ('messages', MESSAGES_USAGE, Usage(Tokens(1000, 800, 50, 110, 70), 20)),
        ('responses', RESPONSES_USAGE, Usage(Tokens(1000, 800, 0, 110, 70))),
        ('chat', CHAT_USAGE, Usage(Tokens(1000, 800, 0, 110, 70))),
        ('chat', {'prompt_tokens': 9, 'cached_tokens': 4}, Usage(Tokens(5, 4))),
        ('chat', {'prompt_tokens': 9, 'prompt_cache_hit_tokens': 4}, Usage(Tokens(5, 4))),
        ('messages', {'input_tokens': 3, 'output_tokens': None}, Usage(Tokens(3))),
        ('messages', {'input_tokens': 0, 'output_tokens': 0}, Usage()),
    ],
)
def test_what_each_provider_says(wire, usage, expected):
    assert read_usage(wire, usage) == expected


@pytest.mark.parametrize('wire', ['messages', 'responses', 'chat'])
@pytest.mark.parametrize('usage', [None, {}, [], 'many', {'input_tokens': None}, {'other': 3}])
def test_what_says_nothing_is_no_usage(wire, usage):
    assert read_usage(wire, usage) is None


def test_reasoning_that_a_server_keeps_apart_is_output_too():
    apart = {
        'prompt_tokens': 10,
        'completion_tokens': 5,
        'completion_tokens_details': {'reasoning_tokens': 7},
        'total_tokens': 22,
    }

    assert read_usage('chat', apart).tokens == Tokens(10, 0, 0, 12, 7)


def test_what_compacting_a_context_took_is_counted():
    rounds = [
        {'type': 'compaction', 'input_tokens': 180_000, 'output_tokens': 3500},
        {'type': 'message', 'input_tokens': 23_000, 'output_tokens': 1000},
    ]
    outer = {'input_tokens': 23_000, 'output_tokens': 1000, 'iterations': rounds}

    assert read_usage('messages', outer).tokens == Tokens(203_000, 0, 0, 4500)


def test_a_single_round_is_not_counted_twice():
    once = {**MESSAGES_USAGE, 'iterations': [{'type': 'message', **MESSAGES_USAGE}]}

    assert read_usage('messages', once) == read_usage('messages', MESSAGES_USAGE)


def test_written_tokens_of_an_inclusive_provider_are_not_fresh():
    details = {'cached_tokens': 4, 'cache_write_tokens': 3}
    usage = {'input_tokens': 10, 'input_tokens_details': details, 'output_tokens': 1}

    assert read_usage('responses', usage).tokens == Tokens(3, 4, 3, 1)


@settings(deadline=None)
@given(taken=COUNTS, cached=COUNTS, output=COUNTS, reasoning=COUNTS)
def test_classes_of_an_inclusive_provider_add_up(taken, cached, output, reasoning):
    tokens = read_usage(
        'responses',
        {
            'input_tokens': taken,
            'input_tokens_details': {'cached_tokens': cached},
            'output_tokens': output,
            'output_tokens_details': {'reasoning_tokens': reasoning},
            'total_tokens': taken + output,
        },
    ).tokens

    assert tokens.fresh + tokens.cached == taken
    assert min(tokens.fresh, tokens.cached) >= 0
    assert tokens.output in (output, output + reasoning)
    assert tokens.reasoning <= tokens.output


@settings(deadline=None)
@given(fresh=COUNTS, cached=COUNTS, written=COUNTS, output=COUNTS)
def test_classes_of_anthropic_are_kept(fresh, cached, written, output):
    usage = {
        'input_tokens': fresh,
        'cache_read_input_tokens': cached,
        'cache_creation_input_tokens': written,
        'output_tokens': output,
    }

    assert read_usage('messages', usage).tokens == Tokens(fresh, cached, written, output)


@settings(deadline=None)
@given(
    wire=st.sampled_from(['messages', 'responses', 'chat']),
    usage=st.dictionaries(NAMES, JSON | COUNTS, max_size=6) | JSON,
)
def test_no_usage_breaks_it_or_counts_backwards(wire, usage):
    found = read_usage(wire, usage)

    if found is not None:
        tokens = found.tokens
        assert min(tokens.fresh, tokens.cached, tokens.written, tokens.output) >= 0
        assert 0 <= tokens.reasoning <= tokens.output
        assert 0 <= found.hour <= tokens.written
