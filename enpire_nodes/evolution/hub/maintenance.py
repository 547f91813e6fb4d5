"""What keeps a hub in order: one writer at a time, and nothing left of those that died."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
import fcntl
import os
from pathlib import Path
import shutil
import threading
import time

from enpire_nodes.common.errors import ErrorCode, StationError

LOCK_AGE = 20.0  # s; Git holds a lock for milliseconds
QUARANTINE_AGE = 1800.0  # s; a push has ended long before
_PATIENCE = 30.0  # s
_POLL = 0.01  # s

_State = tuple[int, int]  # inode, and ns of its last change


@contextmanager
def writing(repository: Path) -> Iterator[None]:
    """Hold the hub for what Git does not do in one step; threads and processes take turns.

    :raises StationError: HUB_UNUSABLE, it cannot be locked, or somebody holds it too long.
    """
    end = time.monotonic() + _PATIENCE
    try:
        with (repository / 'enpire.writing').open('ab') as stream:
            while not _taken(stream.fileno()):
                if time.monotonic() > end:
                    raise StationError(
                        ErrorCode.HUB_UNUSABLE,
                        f'another process writes to {repository} for {_PATIENCE:.0f} s; look for '
                        'a station that hangs',
                    )
                time.sleep(_POLL)
            yield
    except OSError as error:
        raise StationError(
            ErrorCode.HUB_UNUSABLE, f'{repository} cannot be written: {error}'
        ) from error


class Sweeper:
    """Removes locks and unfinished pushes of processes that were killed.

    Git writes no owner into a lock, and closes it while it still holds it, so that only time tells
    a dead one from a live one. The time of a file is that of the wall clock: a clock that was set
    back would keep a dead lock for ever, one set forward would take a live one. What counts is for
    how long this process has seen the file unchanged.

    :param clock: s, monotonic.
    """

    def __init__(self, repository: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._repository, self._clock = repository, clock
        self._seen: dict[Path, tuple[_State, float]] = {}
        self._turn = threading.Lock()

    def sweep(self) -> list[Path]:
        """Remove what has been seen unchanged for its time; return it."""
        with self._turn:
            now, before, removed = self._clock(), self._seen, []
            self._seen = {}
            for path in _leftovers(self._repository):
                state = _state(path)
                known, since = before.get(path, (None, now))
                since = since if state == known else now
                if state is None:
                    continue
                if now - since >= _limit(path) and _remove(path):
                    removed.append(path)
                else:
                    self._seen[path] = state, since
            return removed

    def settle(self) -> list[Path]:
        """Sweep, and wait for the locks that are there; return what was removed.

        :raises StationError: HUB_UNUSABLE, a lock stays.
        """
        removed = self.sweep()
        with self._turn:
            locks = {path: state for path, (state, _) in self._seen.items() if _is_lock(path)}
        if not locks:
            return removed
        end = self._clock() + LOCK_AGE
        while (left := _unchanged(locks)) and self._clock() < end:
            time.sleep(_POLL)
        if left:
            removed += self.sweep()
            left = _unchanged(locks)
        if left:
            raise StationError(
                ErrorCode.HUB_UNUSABLE,
                f'{left[0]} is the lock of a process that is gone, and cannot be removed; remove '
                'it by hand',
            )
        return removed


def _leftovers(repository: Path) -> Iterator[Path]:
    # os.walk bears folders that vanish meanwhile, as the quarantine of a push does
    for folder, inner, names in os.walk(repository):
        place = Path(folder)
        unfinished = [name for name in inner if name.startswith('tmp_objdir-')]
        yield from (place / name for name in unfinished)
        inner[:] = [name for name in inner if name not in unfinished and name != 'logs']
        yield from (place / name for name in names if name.endswith('.lock'))
        if 'objects' in place.relative_to(repository).parts:
            yield from (place / name for name in names if name.startswith(('tmp_', '.tmp-')))


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_lock(path: Path) -> bool:
    return path.name.endswith('.lock')


def _limit(path: Path) -> float:
    return LOCK_AGE if _is_lock(path) else QUARANTINE_AGE


def _state(path: Path) -> _State | None:
    """Return what differs when somebody made it anew; None when it is gone."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_mtime_ns


def _unchanged(known: dict[Path, _State]) -> list[Path]:
    return [path for path, state in known.items() if _state(path) == state]


def _remove(path: Path) -> bool:
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    except OSError:
        return False  # it is seen again, and a start that it hinders tells of it
    return not os.path.lexists(path)
