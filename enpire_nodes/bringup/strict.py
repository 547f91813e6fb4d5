"""Read a mapping strictly: every key has a type, unknown keys and bad values name file and key."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
import difflib
from pathlib import Path
from typing import Any

import yaml


class ConfigurationError(ValueError):
    """A configuration that cannot be used; says which key of which file, why, and the remedy."""

    def __init__(self, source: str, key: str, reason: str) -> None:
        super().__init__(f'{source}: {key}: {reason}' if key else f'{source}: {reason}')
        self.source, self.key, self.reason = source, key, reason


class _UniqueKeys(yaml.SafeLoader):
    """Refuses a key that is given twice, of which YAML would silently take the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        """Make the mapping, if its keys differ."""
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, str) and key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f'the key {key!r} is given twice', key_node.start_mark
                )
            if isinstance(key, str):
                seen.add(key)
        return super().construct_mapping(node, deep)


def read_yaml(path: Path) -> Mapping[str, Any]:
    """Return the mapping that a YAML file holds.

    :raises ConfigurationError: it is missing, is no YAML, or holds no mapping.
    """
    try:
        content = yaml.load(path.read_text(encoding='utf-8'), _UniqueKeys)
    except OSError as error:
        raise ConfigurationError(str(path), '', f'cannot be read: {error.strerror}') from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigurationError(str(path), '', f'is not valid YAML: {error}') from error
    if content is None:
        return {}
    if not isinstance(content, Mapping):
        raise ConfigurationError(
            str(path), '', f'must hold a mapping of keys to values, not a {_kind(content)}'
        )
    return content


class Section:
    """One mapping of a configuration; take what you know, then :meth:`finish`.

    :param source: file, for errors.
    :param content: the mapping, or None for an empty one.
    :param key: of the mapping itself within the file, for errors.
    """

    def __init__(self, source: str, content: Any, key: str = '') -> None:
        self.source, self._key = source, key
        if content is None:
            content = {}
        if not isinstance(content, Mapping):
            raise self.error('', f'must be a mapping, not a {_kind(content)}')
        self._content = dict(content)
        self._known: list[str] = []

    def error(self, key: str, reason: str) -> ConfigurationError:
        """Return an error about ``key`` of this section."""
        dotted = '.'.join(part for part in (self._key, key) if part)
        return ConfigurationError(self.source, dotted, reason)

    def take(
        self,
        key: str,
        default: Any,
        *,
        kind: type | None = None,
        check: Callable[[Any], str] | None = None,
    ) -> Any:
        """Return the value of ``key``, or ``default`` where it is missing.

        :param kind: type of the value; that of ``default`` when omitted.
        :param check: returns what is wrong with a value, or an empty string.
        :raises ConfigurationError: the value has another type or does not pass the check.
        """
        self._known.append(key)
        if key not in self._content:
            return default
        value, kind = self._content.pop(key), kind or type(default)
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):
            raise self.error(key, f'must be a {_NAMES[kind]}, not {value!r}')
        reason = check(value) if check is not None else ''
        if reason:
            raise self.error(key, reason)
        return value

    def section(self, key: str) -> Section:
        """Return the section below ``key``; empty where it is missing."""
        self._known.append(key)
        dotted = '.'.join(part for part in (self._key, key) if part)
        return Section(self.source, self._content.pop(key, None), dotted)

    def rest(self) -> dict[str, Any]:
        """Return everything that was not taken, and regard it as taken."""
        content, self._content = self._content, {}
        return content

    def finish(self) -> None:
        """Refuse what was not taken.

        :raises ConfigurationError: the section has a key that nobody knows.
        """
        for key in self._content:
            raise self.error(str(key), f'is unknown; {suggest(str(key), self._known)}')


def suggest(name: str, known: Iterable[str]) -> str:
    """Say which of the ``known`` names is meant, or which there are."""
    known = sorted(known)
    close = difflib.get_close_matches(name, known, n=1)
    if close:
        return f'did you mean {close[0]}?'
    return f'known: {", ".join(known) or "none"}'


_NAMES = {
    str: 'text', int: 'whole number', float: 'number', bool: 'true or false',
    list: 'list', dict: 'mapping',
}  # fmt: skip


def _kind(value: Any) -> str:
    return _NAMES.get(type(value), type(value).__name__)
