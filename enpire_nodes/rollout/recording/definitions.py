"""What a bag says of its message types, gathered from the interface files of the installation.

The text is the one that ``ros2 bag record`` stores: the message's own file, then every message
that it contains, each after a line of ``=`` and its name. Readers need nothing else installed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
import json
import os
from pathlib import Path
import re
import sys

from enpire_nodes.common.errors import ErrorCode, StationError

_SEPARATOR = '=' * 80
_TYPE = re.compile(r'(?P<package>\w+)/(?:msg/)?(?P<name>\w+)')
_FIELD = re.compile(r'^\s*(?P<type>[A-Za-z]\w*(?:/\w+){0,2})(?:<=\d+)?(?:\[[^\]]*\])?\s+\w', re.M)
_PRIMITIVES = frozenset(
    ('bool', 'byte', 'char', 'string', 'wstring', 'float32', 'float64')
    + tuple(f'{sign}int{bits}' for sign in ('', 'u') for bits in (8, 16, 32, 64))
)


@dataclass(frozen=True, slots=True)
class Definition:
    """A message type.

    :param type: for example ``sensor_msgs/msg/JointState``.
    :param text: of its interface file and of all that it contains, as ``ros2msg``.
    :param type_hash: ``RIHS01_...``; empty when the installation does not say.
    """

    type: str
    text: str
    type_hash: str


@cache
def definition_of(message_type: str) -> Definition:
    """Return the definition of an installed message type.

    :raises StationError: RECORDER_TOPIC_MISSING, the type is not installed here.
    """
    seen: set[str] = set()

    def gather(name: str) -> str:
        path = _interface_file(name)
        text = path.read_text()
        for inner in sorted(_contained(text, path.parent.parent.name)):
            if inner not in seen:
                seen.add(inner)
                text += f'\n{_SEPARATOR}\nMSG: {inner}\n{gather(inner)}'
        return text

    return Definition(message_type, gather(message_type), _type_hash(message_type))


def _contained(text: str, package: str) -> set[str]:
    names = {match['type'] for match in _FIELD.finditer(text)} - _PRIMITIVES
    return {name if '/' in name else f'{package}/{name}' for name in names}


def _interface_file(message_type: str) -> Path:
    match = _TYPE.fullmatch(message_type)
    if match is not None:
        relative = f'share/{match["package"]}/msg/{match["name"]}.msg'
        for prefix in _prefixes():
            if (path := prefix / relative).is_file():
                return path
    raise StationError(
        ErrorCode.RECORDER_TOPIC_MISSING,
        f'message type {message_type} is not installed: source the workspace that has it',
    )


def _prefixes() -> list[Path]:
    # Installed from wheels, the Python environment is a ROS prefix that need not be sourced.
    sourced = os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep)
    return [Path(prefix) for prefix in (*sourced, sys.prefix) if prefix]


def _type_hash(message_type: str) -> str:
    path = _interface_file(message_type).with_suffix('.json')
    if not path.is_file():
        return ''
    hashes = json.loads(path.read_text())['type_hashes']
    return next((item['hash_string'] for item in hashes if item['type_name'] == message_type), '')
