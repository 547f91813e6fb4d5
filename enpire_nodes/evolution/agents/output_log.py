"""The file that an agent's output goes to: bounded, or a night would fill the disk."""

from __future__ import annotations

import logging
from logging.handlers import RotatingFileHandler
from pathlib import Path
import sys
import threading

_LOG = logging.getLogger(__name__)
#: Of one file, and how many older ones are kept.
MOST_BYTES, OLDER = 16 * 2**20, 3
#: Of one line.
LINE = 32 * 1024


class _Handler(RotatingFileHandler):
    """Complains once when it cannot write, not at every line: a full disk must not end a night."""

    complained = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the library's name
        if not self.complained:
            self.complained = True
            _LOG.error('the output of the agent is not kept: %s', sys.exc_info()[1])


class OutputLog:
    """Appends lines to a file that is rotated; several threads may write.

    :raises OSError: the file cannot be made.
    """

    def __init__(self, path: Path, *, most_bytes: int = MOST_BYTES, older: int = OLDER) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._handler = _Handler(
            path, maxBytes=most_bytes, backupCount=older, encoding='utf-8', errors='replace'
        )
        self._handler.setFormatter(logging.Formatter('%(message)s'))
        self._lock = threading.Lock()
        self._closed = False

    def write(self, line: str) -> None:
        """Append a line, shortened when it is long; nothing after the log was closed."""
        if len(line) > LINE:
            line = f'{line[:LINE]} ... ({len(line) - LINE} more characters)'
        record = logging.LogRecord('agent', logging.INFO, '', 0, line, None, None)
        with self._lock:
            if not self._closed:
                self._handler.emit(record)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._closed = True
            self._handler.close()
