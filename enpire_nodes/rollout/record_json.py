"""Records to plain JSON and back, without loss.

Enums travel by name, so that exports can be read without this code. JSON has no NaN or infinity:
they travel as ``null`` and come back as NaN in float fields. Unknown keys are ignored, so that
older code can read newer ledgers.
"""

from __future__ import annotations

from collections.abc import Mapping
import dataclasses
from enum import IntEnum
from functools import cache
import math
import types
import typing
from typing import Any, TypeVar

from enpire_nodes.rollout.records import TrialRecord

Record = TypeVar('Record')


def to_json(value: Any) -> Any:
    """Return ``value``, a record or anything inside one, as JSON types."""
    if dataclasses.is_dataclass(value):
        return {
            item.name: to_json(getattr(value, item.name)) for item in dataclasses.fields(value)
        }
    if isinstance(value, IntEnum):
        return value.name
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def trial_data(trial: TrialRecord) -> dict[str, Any]:
    """Return a trial as JSON types, with what follows from its fields: its ``trial.json``."""
    return {
        **to_json(trial),
        'success': trial.success,
        'first_attempt_success': trial.first_attempt_success,
        'robot_seconds': trial.robot_seconds,
    }


def from_json(kind: type[Record], data: Mapping[str, Any]) -> Record:
    """Return a record of ``kind`` from what :func:`to_json` gave.

    :raises KeyError: an enum's name is unknown.
    :raises TypeError: a field without a default is missing.
    """
    hints = _hints(kind)
    return kind(
        **{name: _decode(hints[name], item) for name, item in data.items() if name in hints}
    )


@cache
def _hints(kind: type) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    return {item.name: hints[item.name] for item in dataclasses.fields(kind)}


def _decode(hint: Any, item: Any) -> Any:
    if typing.get_origin(hint) is tuple:
        inner = typing.get_args(hint)[0]
        return tuple(_decode(inner, part) for part in item)
    if typing.get_origin(hint) is types.UnionType or typing.get_origin(hint) is not None:
        return item
    if dataclasses.is_dataclass(hint):
        return from_json(hint, item)
    if isinstance(hint, type) and issubclass(hint, IntEnum):
        return hint[item]
    if hint is float:
        return math.nan if item is None else float(item)
    return item
