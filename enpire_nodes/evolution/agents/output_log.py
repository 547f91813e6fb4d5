"""The file that an agent's output goes to: bounded, or a night would fill the disk."""

from __future__ import annotations

import logging
from logging.handlers import RotatingFileHandler
from pathlib import Path
import threading

#: Of one file, and how many older ones are kept.
MOST_BYTES, OLDER = 16 * 2**20, 3
#: Of one line.
LINE = 32 * 1024


class OutputLog:
    """Appends lines to a file that is rotated; several threads may write."""

    def __init__(self, path: Path, *, most_bytes: int = MOST_BYTES, older: int = OLDER) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._handler = RotatingFileHandler(
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
