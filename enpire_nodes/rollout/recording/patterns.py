"""Which topics to record: names with wildcards, relative to the station."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase


def absolute(pattern: str, namespace: str) -> str:
    """Return a pattern below ``namespace``; one that begins with ``/`` stays as it is."""
    if pattern.startswith('/'):
        return pattern
    return f'{namespace.rstrip("/")}/{pattern}'


def matches(pattern: str, name: str) -> bool:
    """Whether a topic's absolute name fits; a ``*`` stays within one part of the name."""
    parts, wanted = name.split('/'), pattern.split('/')
    return len(parts) == len(wanted) and all(map(fnmatchcase, parts, wanted))


def matching(pattern: str, names: Iterable[str]) -> list[str]:
    """Return the names that fit, sorted."""
    return sorted(name for name in names if matches(pattern, name))
