"""The audit book ``audits.jsonl`` of a run: a line an entry, hash-chained, only ever appended to.

The auditor's node, the runner (a canary that failed) and the command ``enpire audit`` write it,
each for itself: whoever appends holds the file locked, chains to its last whole line, and returns
when the line is on the disk. A line that a crash cut short stays where it is and counts for
nothing. As with the ledger, entries cut off at the end leave a valid chain.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
import fcntl
import hashlib
import json
import os
from pathlib import Path
import time
from typing import Any, BinaryIO

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.writing import sync_directory
from enpire_nodes.rollout.ledger.chain import canonical_json, GENESIS

FILE_NAME = 'audits.jsonl'

#: A trial that was closed: its verdicts, and whether it was drawn.
TRIAL = 'trial'
#: What an auditor other than a person says of an attempt.
FINDING = 'finding'
#: What a person says of an attempt.
LABEL = 'label'
#: Why the judge is doubted; holds until a CLEAR.
ALARM = 'alarm'
#: A person has looked, and trusts the judge again.
CLEAR = 'clear'


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the book; ``wall_ns`` by the system clock, digests in hex."""

    sequence: int
    kind: str
    wall_ns: int
    data: dict[str, Any]
    previous: str
    digest: str

    def expected_digest(self) -> str:
        """Return what ``digest`` must be."""
        covered = [self.previous, self.sequence, self.kind, self.wall_ns, self.data]
        return hashlib.sha256(canonical_json(covered).encode()).hexdigest()

    def line(self) -> bytes:
        """Return the entry as its line."""
        names = ('sequence', 'kind', 'wall_ns', 'data', 'previous', 'digest')
        return canonical_json({name: getattr(self, name) for name in names}).encode() + b'\n'


class AuditBook:
    """The book of one run; reading continues where it stopped.

    :param run: the run directory.
    """

    def __init__(self, run: Path) -> None:
        self.path = Path(run) / FILE_NAME
        self._offset = 0
        self._sequence, self._head = 0, GENESIS
        self._tail: AuditBook | None = None  # reads on for append()

    def append(self, kind: str, data: dict[str, Any]) -> Entry:
        """Put an entry on the disk.

        :raises StationError: RUNNER_LEDGER_FAILED, it is not there, or the book is broken.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            fresh = not self.path.exists()
            with self.path.open('ab+') as stream:
                fcntl.flock(stream, fcntl.LOCK_EX)
                sequence, head, torn = self._end(stream)
                entry = Entry(sequence + 1, kind, time.time_ns(), data, head, '')
                entry = _sealed(entry)
                stream.write((b'\n' if torn else b'') + entry.line())
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
                found = list(self._walk(stream))
        except FileNotFoundError:
            if self._offset:
                raise _broken(self.path, self._sequence, 'the book is gone') from None
            return []
        except OSError as error:
            raise StationError(
                ErrorCode.RUNNER_LEDGER_FAILED, f'cannot read {self.path}: {error.strerror}'
            ) from error
        return found

    def changed(self) -> bool:
        """Whether there may be news; cheap."""
        try:
            return self.path.stat().st_size != self._offset
        except OSError:
            return self._offset > 0

    def _walk(self, stream: BinaryIO) -> Iterator[Entry]:
        if stream.seek(0, os.SEEK_END) < self._offset:
            raise _broken(self.path, self._sequence, 'entries at its end are gone')
        stream.seek(self._offset)
        for line in stream:
            if not line.endswith(b'\n'):
                return  # being written, or cut short by a crash
            entry = _parsed(line)
            self._offset += len(line)
            if entry is None:
                continue
            if entry.sequence != self._sequence + 1 or entry.previous != self._head:
                raise _broken(self.path, entry.sequence, 'it does not follow the one before it')
            if entry.digest != entry.expected_digest():
                raise _broken(self.path, entry.sequence, 'it was changed after it was written')
            self._sequence, self._head = entry.sequence, entry.digest
            yield entry

    def _end(self, stream: BinaryIO) -> tuple[int, str, bool]:
        """Return number and digest of the last whole entry, and whether a torn line follows."""
        tail = self._tail = self._tail or AuditBook(self.path.parent)
        for _ in tail._walk(stream):
            pass
        size = stream.seek(0, os.SEEK_END)
        return tail._sequence, tail._head, size != tail._offset


def _sealed(entry: Entry) -> Entry:
    return Entry(
        entry.sequence,
        entry.kind,
        entry.wall_ns,
        entry.data,
        entry.previous,
        entry.expected_digest(),
    )


def _parsed(line: bytes) -> Entry | None:
    """Return the entry of a line; None for what a crash left of one."""
    try:
        return Entry(**json.loads(line))
    except (ValueError, TypeError):
        return None


def _broken(path: Path, sequence: int, why: str) -> StationError:
    return StationError(
        ErrorCode.RUNNER_LEDGER_FAILED,
        f'{path}: entry {sequence}: {why}; the audits of this run cannot be trusted any more, '
        'look who had access to it',
    )
