"""Parameter files of ROS, resolved for one station before anything starts.

rcl applies the sections of a file in the order in which it first meets their keys, whatever their
wildcards, and ignores a section that matches no node without a word. Here the more exact key wins,
a later file wins over an earlier one, and a section that misses its node is an error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
import difflib
from pathlib import Path
import re
from typing import Any

import yaml

from enpire_nodes.bringup.strict import ConfigurationError, read_yaml, Section

_SCALARS = (bool, int, float, str)


def read_parameters(
    files: Sequence[Path], namespace: str, nodes: Sequence[str], known: Sequence[str]
) -> tuple[dict[str, dict[str, Any]], dict[str, set[str]]]:
    """Resolve parameter files for the nodes of a station.

    :param files: lowest priority first.
    :param namespace: of the station, with its slash.
    :param nodes: names of its nodes.
    :param known: names of all nodes that a station may have.
    :return: values by node, and which of them were meant for that very node, so must exist.
    :raises ConfigurationError: a file is no parameter file, or a section misses its node.
    """
    values: dict[str, dict[str, Any]] = {name: {} for name in nodes}
    meant: dict[str, set[str]] = {name: set() for name in nodes}
    for file in files:
        sections = read_yaml(file)
        for key in sorted(sections, key=_exactness):
            section = Section(str(file), sections[key], str(key))
            content = flatten(section.section('ros__parameters').rest())
            section.finish()
            for name, value in content.items():
                check_value(section, f'ros__parameters.{name}', value)
            _refuse_miss(section, str(key), namespace, known)
            for node in nodes:
                if matches(str(key), f'{namespace}/{node}'):
                    values[node] |= content
                    if not str(key).endswith('*'):
                        meant[node] |= set(content)
    return values, meant


def matches(key: str, name: str) -> bool:
    """Whether a section's key means the node of that full name; ``*`` and ``**`` as in rcl."""
    pattern = ''
    for token in key.strip('/').split('/'):
        if token == '**':
            pattern += '(/[^/]+)*'
        else:
            pattern += '/' + '[^/]+'.join(re.escape(part) for part in token.split('*'))
    return re.fullmatch(pattern, name) is not None


def flatten(values: Mapping[str, Any], prefix: str = '') -> dict[str, Any]:
    """Return nested mappings as one, with dotted keys."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f'{prefix}{key}.')
        else:
            flat[f'{prefix}{key}'] = value
    return flat


def check_value(section: Section, key: str, value: Any) -> None:
    """Refuse what ROS has no parameter type for.

    :raises ConfigurationError: it is no scalar, nor a list of scalars of one type.
    """
    if isinstance(value, list):
        kinds = {type(item) for item in value}
        if len(kinds) == 1 and kinds <= set(_SCALARS):
            return
        raise section.error(key, f'{value!r} must be a list of values of one type, not empty')
    if not isinstance(value, _SCALARS):
        raise section.error(key, f'{value!r} is no parameter value: text, number, true or false')


def parameters_text(values: Mapping[str, Mapping[str, Any]], title: str) -> str:
    """Return a ROS parameter file with values by full node name."""
    content = {
        name: {'ros__parameters': {key: _quoted(value) for key, value in entries.items()}}
        for name, entries in values.items()
        if entries
    }
    return f'# {title}\n' + yaml.dump(content, Dumper=_Dumper, sort_keys=False, width=99)


class _Text(str):
    """A value that is written in quotes: rcl takes more words for booleans than PyYAML does."""

    __slots__ = ()


class _Dumper(yaml.SafeDumper):
    pass


_Dumper.add_representer(
    _Text, lambda dumper, text: dumper.represent_scalar('tag:yaml.org,2002:str', text, style="'")
)


def _quoted(value: Any) -> Any:
    if isinstance(value, list):
        return [_quoted(item) for item in value]
    return _Text(value) if isinstance(value, str) else value


def _exactness(key: object) -> tuple[int, int]:
    tokens = str(key).strip('/').split('/')
    return sum(token != '**' for token in tokens), sum('*' not in token for token in tokens)


def _refuse_miss(section: Section, key: str, namespace: str, known: Sequence[str]) -> None:
    name = key.rsplit('/', 1)[-1]
    if '*' in name:
        return
    if name in known:
        if key.strip('/') == name:
            raise ConfigurationError(
                section.source, key, f'means no node below {namespace}; write /**/{name}'
            )
        return
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.75)
    if close:
        raise ConfigurationError(
            section.source, key, f'there is no such node; did you mean /**/{close[0]}?'
        )
