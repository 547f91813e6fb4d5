"""What came in over the socket, checked: from JSON to what the desk takes."""

from __future__ import annotations

from collections.abc import Mapping
import dataclasses
import json
import re
from typing import Any

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.evolution.desk.views import TrialAsk

_COMMIT = re.compile(r'[0-9a-f]{4,64}')
_WEIGHTS = re.compile(r'([0-9a-f]{64})?')
_JOB = re.compile(r'[A-Za-z0-9_.:-]{0,128}')
_SENTENCE = 500  # characters
_RANGES = {'trials': (1, 1000), 'attempts': (1, 64)}
_PATTERNS = {
    'commit': _COMMIT,
    'weights': _WEIGHTS,
    'against': re.compile(f'({_COMMIT.pattern}|main)?'),
    'against_weights': _WEIGHTS,
    'seeds_of': _JOB,
}
_KINDS = {'str': str, 'int': int, 'bool': bool}


def bad_request(words: str) -> StationError:
    """Return the error of what cannot be understood."""
    return StationError(ErrorCode.SUPERVISOR_BAD_REQUEST, words)


def mapping(body: bytes) -> dict[str, Any]:
    """Return a JSON object.

    :raises StationError: SUPERVISOR_BAD_REQUEST, it is none.
    """
    try:
        data = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise bad_request(f'the body is no JSON: {error}') from error
    if not isinstance(data, dict):
        raise bad_request('the body is no JSON object')
    return data


def trial_ask(data: Mapping[str, Any]) -> TrialAsk:
    """Return what is asked for.

    :raises StationError: SUPERVISOR_BAD_REQUEST, naming the field.
    """
    fields = {item.name: item for item in dataclasses.fields(TrialAsk)}
    unknown = sorted(set(data) - set(fields))
    if unknown:
        raise bad_request(f'{unknown[0]!r} is unknown; there are {", ".join(fields)}')
    for name, value in data.items():
        if type(value) is not _KINDS[fields[name].type]:
            raise bad_request(f'{name} must be of type {fields[name].type}, and is {value!r:.60}')
        low, high = _RANGES.get(name, (None, None))
        if low is not None and not low <= value <= high:
            raise bad_request(f'{name} must lie in {low}..{high}, and is {value}')
        if name in _PATTERNS and not _PATTERNS[name].fullmatch(value):
            raise bad_request(f'{name} cannot be {value[:80]!r}')
    if 'commit' not in data:
        raise bad_request('commit is missing')
    if data.get('explore') and data.get('against'):
        raise bad_request('exploring trials compare nothing: leave out explore or against')
    return TrialAsk(**data)


def proposal(data: Mapping[str, Any]) -> tuple[str, str]:
    """Return the commit and the weights to propose.

    :raises StationError: SUPERVISOR_BAD_REQUEST.
    """
    wanted = trial_ask({name: data[name] for name in ('commit', 'weights') if name in data})
    return wanted.commit, wanted.weights


def sentence(data: Mapping[str, Any]) -> str:
    """Return a hypothesis, in one line.

    :raises StationError: SUPERVISOR_BAD_REQUEST.
    """
    words = data.get('sentence')
    if not isinstance(words, str) or not words.strip():
        raise bad_request('an idea is a sentence: {"sentence": "if I change this, ..."}')
    words = ' '.join(words.split())
    if len(words) > _SENTENCE:
        raise bad_request(f'an idea has at most {_SENTENCE} characters, this one {len(words)}')
    return words


def number(text: str, name: str, *, default: float, low: float, high: float) -> float:
    """Return a number of a query, kept within ``low`` and ``high``.

    :raises StationError: SUPERVISOR_BAD_REQUEST, it is none.
    """
    try:
        value = float(text or default)
    except ValueError as error:
        raise bad_request(f'{name} must be a number, and is {text[:40]!r}') from error
    if value != value:
        raise bad_request(f'{name} must be a number')
    return min(max(value, low), high)
