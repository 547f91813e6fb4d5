"""A file that only takes up space, so that the end of a trial can be written on a full disk."""

from __future__ import annotations

import os
from pathlib import Path


class Reserve:
    """Space set aside at ``path``, given back when the ledger needs it.

    :param size: bytes; several times what the last entries of a trial take.
    """

    def __init__(self, path: Path, *, size: int = 1 << 20) -> None:
        self._path = path
        self._size = size

    def fill(self) -> None:
        """Set the space aside, unless it is.

        :raises OSError: there is not enough of it.
        """
        if self._path.exists() and self._path.stat().st_size == self._size:
            return
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            os.posix_fallocate(descriptor, 0, self._size)
        except OSError:
            self._path.unlink(missing_ok=True)
            raise
        finally:
            os.close(descriptor)

    def spend(self) -> bool:
        """Give the space back to the disk; False when there was none left."""
        try:
            self._path.unlink()
        except FileNotFoundError:
            return False
        return True
