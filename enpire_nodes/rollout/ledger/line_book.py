"""A book of lines: one JSON line an entry, hash-chained, only ever appended to.

Several processes may write one: whoever appends holds the file locked, chains to its last whole
line, and returns when the line is on the disk. A line that a crash cut short stays where it is,
marked by the next writer, and counts for nothing. As with the ledger, entries cut off at the end
leave a valid chain.
"""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path
import time
from typing import Any, BinaryIO

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.writing import sync_directory
from enpire_nodes.rollout.ledger.chain import canonical_json, ChainWalk, Entry

#: Put to what a crash left of a line: it may lack its end alone, and must not become an entry.
_TORN = b' torn\n'
_PATIENCE = 10.0  # s for whoever else is writing; an entry takes some milliseconds


class LineBook:
    """One book; reading continues where it stopped.

    :param path: of the file; it need not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self._offset = 0
        self._walked = ChainWalk()
        self._tail: LineBook | None = None  # reads on for append()

    @property
    def sequence(self) -> int:
        """Number of the last entry that was read; 0 before the first."""
        return self._walked.sequence

    def append(self, kind: str, data: dict[str, Any]) -> Entry:
        """Put an entry on the disk.

        :raises StationError: RUNNER_LEDGER_FAILED, it is not there, the book is broken, or
            somebody else keeps it locked.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            fresh = not self.path.exists()
            with self.path.open('ab+') as stream:
                self._lock(stream)
                end, torn = self._end(stream)
                entry = Entry.following(end.sequence, end.head, kind, canonical_json(data))
                line = canonical_json(entry.exported()).encode() + b'\n'
                stream.write((_TORN if torn else b'') + line)
                stream.flush()
                os.fsync(stream.fileno())
            if fresh:
                sync_directory(self.path.parent)
        except OSError as error:
            raise StationError(
                ErrorCode.RUNNER_LEDGER_FAILED,
                f'cannot write {self.path}: {error.strerror}; check the disk',
            ) from error
        return entry

    def news(self) -> list[Entry]:
        """Return the entries that were added since the last call, by whomever.

        :raises StationError: RUNNER_LEDGER_FAILED, naming the first entry that was changed.
        """
        try:
            with self.path.open('rb') as stream:
                return self._walk(stream)
        except FileNotFoundError:
            if self._offset:
                raise _broken(self.path, self.sequence, 'the book is gone') from None
            return []
        except OSError as error:
            raise StationError(
                ErrorCode.RUNNER_LEDGER_FAILED, f'cannot read {self.path}: {error.strerror}'
            ) from error

    def changed(self) -> bool:
        """Whether there may be news; cheap."""
        try:
            return self.path.stat().st_size != self._offset
        except OSError:
            return self._offset > 0

    def _walk(self, stream: BinaryIO) -> list[Entry]:
        """Go on to the last whole entry, or stay, so that a bad one is met at every reading."""
        if stream.seek(0, os.SEEK_END) < self._offset:
            raise _broken(self.path, self.sequence, 'entries at its end are gone')
        stream.seek(self._offset)
        walk, offset, found = ChainWalk(self.sequence, self._walked.head), self._offset, []
        for line in stream:
            if not line.endswith(b'\n'):
                break  # being written, or cut short by a crash
            offset += len(line)
            entry = _parsed(self.path, walk.sequence, line)
            if entry is None:
                continue
            problem = walk.take(entry)
            if problem:
                raise _broken(self.path, entry.sequence, problem)
            found.append(entry)
        self._walked, self._offset = walk, offset
        return found

    def _lock(self, stream: BinaryIO) -> None:
        """Hold the book until ``stream`` is closed."""
        patience = time.monotonic() + _PATIENCE
        while True:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > patience:
                    raise StationError(
                        ErrorCode.RUNNER_LEDGER_FAILED,
                        f'{self.path} is kept locked by another process (`fuser {self.path}` '
                        'names it); stop it, then try again: nothing was written',
                    ) from None
                time.sleep(0.01)
            else:
                return

    def _end(self, stream: BinaryIO) -> tuple[ChainWalk, bool]:
        """Return the walk to the last whole entry, and whether a torn line follows."""
        tail = self._tail = self._tail or LineBook(self.path)
        tail._walk(stream)
        size = stream.seek(0, os.SEEK_END)
        return tail._walked, size != tail._offset


def _parsed(path: Path, sequence: int, line: bytes) -> Entry | None:
    """Return the entry of a line; None for what a crash left of one."""
    if line.endswith(_TORN):
        return None
    try:
        return Entry.imported(json.loads(line))
    except (ValueError, TypeError, KeyError):
        raise _broken(path, sequence + 1, 'it is not written as this code writes it') from None


def _broken(path: Path, sequence: int, why: str) -> StationError:
    return StationError(
        ErrorCode.RUNNER_LEDGER_FAILED,
        f'{path}: entry {sequence}: {why}; what it says cannot be trusted any '
        'more, look who had access to it',
    )
