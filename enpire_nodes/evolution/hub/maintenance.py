"""What keeps a hub in order: one writer at a time, and nothing left of those that died."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import fcntl
import os
from pathlib import Path
import shutil
import time

from enpire_nodes.common.errors import ErrorCode, StationError

LOCK_AGE = 60.0  # s; Git holds a lock for milliseconds
QUARANTINE_AGE = 1800.0  # s; a push has ended long before
_PATIENCE = 30.0  # s
_POLL = 0.01  # s


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


def sweep(
    repository: Path, *, lock_age: float = LOCK_AGE, quarantine_age: float = QUARANTINE_AGE
) -> list[Path]:
    """Remove locks and unfinished pushes of processes that were killed.

    A file has no monotonic clock: its age is that of the wall clock, and the limits are far above
    what any of our Gits may last.

    :return: what was removed.
    """
    removed = []
    for path in _leftovers(repository):
        age = lock_age if path.name.endswith('.lock') else quarantine_age
        if _older(path, age) and _remove(path):
            removed.append(path)
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


def _older(path: Path, age: float) -> bool:
    try:
        return time.time() - path.lstat().st_mtime > age
    except FileNotFoundError:
        return False


def _remove(path: Path) -> bool:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
    return not os.path.lexists(path)
