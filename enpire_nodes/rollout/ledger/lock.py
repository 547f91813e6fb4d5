"""One writer per ledger, and one runner per station: files held locked for a process' life.

The kernel drops the lock when its holder dies, however it dies, so that no stale lock is ever
left behind. What the file says about its holder is for people.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
from pathlib import Path
import tempfile
import time
from types import TracebackType

from enpire_nodes.common.errors import ErrorCode, StationError

_LOG = logging.getLogger(__name__)


def station_lock_path(station: str) -> Path:
    """Return the lock file of a station on this machine, apart for each ROS domain and user."""
    domain = os.environ.get('ROS_DOMAIN_ID', '0')
    base = Path(tempfile.gettempdir()) / f'enpire-{os.getuid()}' / f'domain-{domain}'
    return base / f'{station.strip("/").replace("/", "-") or "station"}.lock'


class StationLock:
    """An exclusive lock on ``path``, taken at construction.

    :param owner: who takes it, for the message that the next one reads.
    :raises StationError: RUNNER_STATION_LOCKED, naming the holder; or RUNNER_LEDGER_FAILED when
        the lock file cannot be made.
    """

    def __init__(self, path: Path, *, owner: str) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor: int | None = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise StationError(
                ErrorCode.RUNNER_LEDGER_FAILED,
                f'cannot make the lock file {path}: {error.strerror}; check the directory',
            ) from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = self._holder()
            os.close(self._descriptor)
            self._descriptor = None
            raise StationError(
                ErrorCode.RUNNER_STATION_LOCKED,
                f'{path} is held by {holder}; stop it first, or use another run directory',
            ) from error
        self._describe(owner)

    def _holder(self) -> str:
        try:
            said = json.loads(self.path.read_text())
            since = time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(self.path.stat().st_mtime))
            return f'{said["owner"]}, process {said["pid"]}, since {since}'
        except (OSError, ValueError, KeyError, TypeError):
            return 'another process (it has not said which)'

    def _describe(self, owner: str) -> None:
        said = {'owner': owner, 'pid': os.getpid()}
        try:
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, json.dumps(said).encode(), 0)
        except OSError as error:
            # a full disk must not keep a station from locking: the lock itself needs no space
            _LOG.warning(
                '%s is locked, but does not say by whom (%s); free some space', self.path, error
            )

    def release(self) -> None:
        """Give the lock back; once is enough."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> StationLock:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()
