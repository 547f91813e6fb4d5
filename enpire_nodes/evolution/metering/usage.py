"""What a provider says a call took, in one set of classes.

Anthropic's input leaves out what a cache held, OpenAI's includes it; reasoning is part of the
output everywhere but at a few servers of the chat wire, which one can tell by their total.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from enpire_nodes.evolution.records import Tokens


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of a call.

    :param hour: of ``tokens.written``, those that the cache keeps for an hour; they cost more.
    """

    tokens: Tokens = field(default_factory=Tokens)
    hour: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.tokens + other.tokens, self.hour + other.hour)


def read_usage(wire: str, usage: Any) -> Usage | None:
    """Return what a ``usage`` object of a provider says, or None when it says nothing.

    :param wire: ``messages``, ``responses`` or ``chat``.
    """
    if not isinstance(usage, Mapping):
        return None
    if wire == 'messages':
        return _messages(usage)
    if 'prompt_tokens' in usage or 'completion_tokens' in usage:
        return _inclusive(usage, 'prompt', 'completion')
    return _inclusive(usage, 'input', 'output')


def _messages(usage: Mapping[str, Any]) -> Usage | None:
    # A call that compacts its context samples several times; the outer numbers are of the last
    # ones alone, and only the list has everything that is paid for.
    rounds = [part for part in _list(usage.get('iterations')) if isinstance(part, Mapping)]
    parts = [part for part in map(_one_message, rounds) if part is not None]
    if parts:
        whole = _sum(parts)
        outer = _one_message(usage)
        if outer is None or whole.tokens.total >= outer.tokens.total:
            reasoning = outer.tokens.reasoning if outer else 0
            return whole + Usage(Tokens(reasoning=max(0, reasoning - whole.tokens.reasoning)))
    return _one_message(usage)


def _one_message(usage: Mapping[str, Any]) -> Usage | None:
    if not _has(usage, 'input_tokens', 'output_tokens'):
        return None
    kept = _mapping(usage.get('cache_creation'))
    written = _count(usage.get('cache_creation_input_tokens'))
    hour = _count(kept.get('ephemeral_1h_input_tokens'))
    written = max(written, hour + _count(kept.get('ephemeral_5m_input_tokens')))
    output = _count(usage.get('output_tokens'))
    details = _mapping(usage.get('output_tokens_details'))
    tokens = Tokens(
        fresh=_count(usage.get('input_tokens')),
        cached=_count(usage.get('cache_read_input_tokens')),
        written=written,
        output=output,
        reasoning=min(output, _count(details.get('thinking_tokens'))),
    )
    return Usage(tokens, hour)


def _inclusive(usage: Mapping[str, Any], source: str, sink: str) -> Usage | None:
    if not _has(usage, f'{source}_tokens', f'{sink}_tokens'):
        return None
    taken = _count(usage.get(f'{source}_tokens'))
    output = _count(usage.get(f'{sink}_tokens'))
    details = _mapping(usage.get(f'{source}_tokens_details'))
    cached = _first(
        details.get('cached_tokens'),
        usage.get('cached_tokens'),
        usage.get('prompt_cache_hit_tokens'),
    )
    cached = min(cached, taken)
    written = _first(details.get('cache_write_tokens'), details.get('cache_creation_tokens'))
    written = min(written, taken - cached)
    reasoning = _count(_mapping(usage.get(f'{sink}_tokens_details')).get('reasoning_tokens'))
    if reasoning and _count(usage.get('total_tokens')) == taken + output + reasoning:
        output += reasoning
    return Usage(Tokens(taken - cached - written, cached, written, output, min(reasoning, output)))


def _count(value: Any) -> int:
    """Return a number of tokens; 0 for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0
    return int(value) if 0 < value < float('inf') else 0


def _has(usage: Mapping[str, Any], *names: str) -> bool:
    numbers = (usage.get(name) for name in names)
    return any(isinstance(number, int | float) for number in numbers)


def _first(*values: Any) -> int:
    return next((count for count in map(_count, values) if count), 0)


def _sum(parts: Iterable[Usage]) -> Usage:
    return sum(parts, Usage())


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
