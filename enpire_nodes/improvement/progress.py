"""How far a long work is: a line that moves on a terminal, a line now and then in a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
import time
from typing import TypeVar

from rich.console import Console
from rich.status import Status

Item = TypeVar('Item')
_EVERY = 20.0  # s between two lines where nobody watches


class Progress:
    """A line about one work; a context manager.

    :param console: where it is shown.
    :param title: of the work.
    """

    def __init__(self, console: Console, title: str) -> None:
        self._console, self._title = console, title
        self._status: Status | None = None
        self._last = time.monotonic()

    def show(self, text: str) -> None:
        """Say how far it is."""
        line = f'{self._title}: {text}'
        if self._status is not None:
            self._status.update(line)
        elif time.monotonic() - self._last > _EVERY:
            self._last = time.monotonic()
            self._console.print(line)

    def over(self, items: Sequence[Item]) -> Iterable[Item]:
        """Yield the items, and show how many are done."""
        return self._over(items)

    def _over(self, items: Sequence[Item]) -> Iterator[Item]:
        for number, item in enumerate(items, start=1):
            self.show(f'{number} of {len(items)}')
            yield item

    def __enter__(self) -> Progress:
        if self._console.is_terminal:
            self._status = self._console.status(self._title)
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._status is not None:
            self._status.stop()
