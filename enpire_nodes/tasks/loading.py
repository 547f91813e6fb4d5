"""Frozen dataclasses from YAML, strictly: an unknown key or a bad value names file and key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
import dataclasses
import hashlib
import json
import math
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints, TypeVar

import yaml

Settings = TypeVar('Settings')


class SettingsError(ValueError):
    """A settings file that cannot be used; says which key of which file, and why."""

    def __init__(self, source: str, key: str, reason: str) -> None:
        super().__init__(f'{source}: {key or "the file"}: {reason}')
        self.source, self.key, self.reason = source, key, reason


def value(default: Any, low: float, high: float, unit: str = '') -> Any:
    """Declare a setting: its default, its range (bounds included), and its unit."""
    return dataclasses.field(default=default, metadata={'low': low, 'high': high, 'unit': unit})


def read_settings(cls: type[Settings], path: Path | str) -> Settings:
    """Read a settings file into ``cls``; keys that it leaves out keep their defaults.

    :raises SettingsError: the file is missing, is no YAML mapping, or has a bad key or value.
    """
    source = str(path)
    try:
        content = yaml.safe_load(Path(path).read_text(encoding='utf-8'))
    except OSError as error:
        raise SettingsError(source, '', f'cannot be read ({error.strerror})') from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SettingsError(source, '', f'is not valid YAML ({error})') from error
    return build_settings(cls, {} if content is None else content, source)


def build_settings(
    cls: type[Settings], content: Any, source: str = 'settings', prefix: str = ''
) -> Settings:
    """Make a ``cls`` out of nested mappings.

    :param content: mapping of keys to values; sections are mappings themselves.
    :param source: what to call it in an error.
    :param prefix: key of this section in an error.
    :raises SettingsError: an unknown key, a wrong type, or a value out of its range.
    """
    if not isinstance(content, Mapping):
        raise SettingsError(source, prefix, f'must be a mapping, not {type(content).__name__}')
    fields = {field.name: field for field in dataclasses.fields(cls)}
    hints = get_type_hints(cls)
    arguments = {}
    for key, entry in content.items():
        dotted = f'{prefix}.{key}' if prefix else str(key)
        if key not in fields:
            known = ', '.join(sorted(fields))
            raise SettingsError(source, dotted, f'is unknown; known keys here: {known}')
        if dataclasses.is_dataclass(hints[key]):
            arguments[key] = build_settings(hints[key], entry, source, dotted)
        else:
            arguments[key] = _convert(entry, hints[key], fields[key], source, dotted)
    try:
        return cls(**arguments)
    except ValueError as error:
        raise SettingsError(source, prefix, str(error)) from error


def settings_digest(settings: Any, files: Sequence[Path]) -> str:
    """Return the sha256 over settings and code files, independent of where the files lie."""
    digest = hashlib.sha256()
    digest.update(json.dumps(dataclasses.asdict(settings), sort_keys=True).encode())
    for path in sorted(files, key=lambda path: path.name):
        digest.update(f'\n{path.name}\n'.encode())
        digest.update(path.read_bytes().replace(b'\r\n', b'\n'))
    return digest.hexdigest()


def _convert(entry: Any, kind: Any, field: dataclasses.Field, source: str, key: str) -> Any:
    if get_origin(kind) is tuple:
        kinds = get_args(kind)
        if not isinstance(entry, list | tuple) or len(entry) != len(kinds):
            raise SettingsError(source, key, f'must be a list of {len(kinds)} numbers')
        return tuple(
            _convert(item, item_kind, field, source, f'{key}[{index}]')
            for index, (item, item_kind) in enumerate(zip(entry, kinds, strict=True))
        )
    if kind is float and isinstance(entry, int) and not isinstance(entry, bool):
        entry = float(entry)
    if not isinstance(entry, kind) or (kind is not bool and isinstance(entry, bool)):
        raise SettingsError(
            source, key, f'must be of type {kind.__name__}, not {type(entry).__name__}: {entry!r}'
        )
    if isinstance(entry, float | int) and 'low' in field.metadata:
        low, high, unit = (field.metadata[name] for name in ('low', 'high', 'unit'))
        if not (math.isfinite(entry) and low <= entry <= high):
            raise SettingsError(source, key, f'{entry!r} is not within {low} ... {high} {unit}')
    return entry
