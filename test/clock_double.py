"""A clock that a test sets."""

from __future__ import annotations


class Clock:
    """Stands for ``time.monotonic``.

    :ivar now: s.
    """

    now = 100.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now
