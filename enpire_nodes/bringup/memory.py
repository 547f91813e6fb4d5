"""How much memory processes take, each shared page counted once among those that share it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def family(pid: int) -> list[int]:
    """Return ``pid`` and all its descendants that still run."""
    found, todo = [], [pid]
    while todo:
        current = todo.pop()
        found.append(current)
        for task in _entries(Path(f'/proc/{current}/task')):
            todo += [int(child) for child in _read(task / 'children').split()]
    return found


def proportional(pids: Iterable[int]) -> int:
    """Return the proportional set size (PSS) of these processes in bytes; 0 for ended ones."""
    total = 0
    for pid in pids:
        for line in _read(Path(f'/proc/{pid}/smaps_rollup')).splitlines():
            if line.startswith('Pss:'):
                total += int(line.split()[1]) * 1024
    return total


def _entries(path: Path) -> list[Path]:
    try:
        return list(path.iterdir())
    except OSError:
        return []


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ''
