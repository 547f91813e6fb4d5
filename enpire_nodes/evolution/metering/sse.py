"""Server-sent events out of a stream of bytes, as WHATWG's HTML standard (9.2) has them."""

from __future__ import annotations

import re

#: A blank line ends an event; lines end with LF, CRLF or CR.
_BLANK = re.compile(rb'(?:\r\n|\n|\r(?!\n))(?:\r\n|\n|\r(?!\n|\Z))')
_LINE = re.compile(rb'\r\n|\n|\r')
#: Bytes that a boundary which was not found yet may already have begun in.
_OVERLAP = 4


class EventSplitter:
    """Cuts a stream into its events, each with the blank line that ends it.

    :param longest: bytes of an event.
    """

    def __init__(self, longest: int = 32 * 2**20) -> None:
        self._longest = longest
        self._rest = bytearray()
        self._seen = 0

    def feed(self, data: bytes) -> list[bytes]:
        """Return the events that are whole by now."""
        self._rest += data
        events, begin = [], 0
        search = max(0, self._seen - _OVERLAP)
        while boundary := _BLANK.search(self._rest, search):
            events.append(bytes(self._rest[begin : boundary.end()]))
            begin = search = boundary.end()
        if begin:
            del self._rest[:begin]
        self._seen = len(self._rest)
        return events

    @property
    def too_long(self) -> bool:
        """Whether an event does not end within what is allowed."""
        return len(self._rest) > self._longest

    def rest(self) -> bytes:
        """Return what came after the last whole event."""
        return bytes(self._rest)


def event_data(event: bytes) -> bytes:
    """Return the data of an event: that of its ``data`` lines, joined by LF."""
    lines = _LINE.split(event)
    return b'\n'.join(line[5:].removeprefix(b' ') for line in lines if line.startswith(b'data:'))
