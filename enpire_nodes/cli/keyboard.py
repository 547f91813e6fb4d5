"""Keys of a terminal as velocities of a hand: what ``enpire teleop`` reads. Knows no ROS.

A terminal tells when a key is pressed, and repeats it while it is held, and never says that it was
let go; so a key counts for a moment after it was last heard.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
import os
import select
import termios
import time
import tty

import numpy as np

#: s that a key counts after it was heard: longer than the pause before a held key repeats.
HELD = 0.5
#: s likewise once it repeats.
REPEATED = 0.12
#: Directions in ``world``: x away from the arms' bases, y to the left, z up.
DIRECTIONS = {
    'w': (1.0, 0.0, 0.0),
    's': (-1.0, 0.0, 0.0),
    'a': (0.0, 1.0, 0.0),
    'd': (0.0, -1.0, 0.0),
    'r': (0.0, 0.0, 1.0),
    'f': (0.0, 0.0, -1.0),
}
ARROWS = {'\x1b[A': 'w', '\x1b[B': 's', '\x1b[D': 'a', '\x1b[C': 'd'}
STOP, DONE, QUIT, FASTER, SLOWER = ' ', '\r\n', 'q\x03\x04', '+=', '-'
_SPEEDS = (0.003, 0.006, 0.0125, 0.025, 0.05)  # m/s
HELP = """\
  w/s or up/down      away, nearer        + / -   faster, slower
  a/d or left/right   left, right         space   stop
  r/f                 up, down            enter   the attempt is done
                                          q       leave (the arm holds)"""


class Keyboard:
    """Velocities from the keys that were heard.

    :param clock: monotonic s.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: dict[str, float] = {}
        self._pace = 2
        self.done = self.quit = False

    @property
    def speed(self) -> float:
        """Speed in m/s along one direction."""
        return _SPEEDS[self._pace]

    def hear(self, typed: str) -> None:
        """Take what was typed; arrow keys come as escape sequences."""
        for sequence, key in ARROWS.items():
            typed = typed.replace(sequence, key)
        for key in typed:
            self._press(key)

    def velocity(self) -> np.ndarray:
        """Return the (3,) m/s in ``world`` that the keys ask for now."""
        now = self._clock()
        held = [DIRECTIONS[key] for key, until in self._until.items() if until > now]
        return self.speed * np.sum(held, axis=0) if held else np.zeros(3)

    def _press(self, key: str) -> None:
        now, key = self._clock(), key.lower()
        if key in DIRECTIONS:
            repeated = self._until.get(key, -np.inf) > now
            opposite = tuple(-value for value in DIRECTIONS[key])
            self._until = {k: t for k, t in self._until.items() if DIRECTIONS[k] != opposite}
            self._until[key] = now + (REPEATED if repeated else HELD)
        elif key in FASTER:
            self._pace = min(self._pace + 1, len(_SPEEDS) - 1)
        elif key == SLOWER:
            self._pace = max(self._pace - 1, 0)
        elif key == STOP:
            self._until.clear()
        elif key in DONE:
            self._until.clear()
            self.done = True
        elif key in QUIT:
            self.quit = True


@contextmanager
def raw_terminal(descriptor: int) -> Iterator[Callable[[float], str]]:
    """Read single keys while the block lasts.

    :param descriptor: of a terminal.
    :return: what was typed within a number of s, perhaps nothing.
    :raises OSError: this is no terminal.
    """
    try:
        before = termios.tcgetattr(descriptor)
    except termios.error as error:
        raise OSError(f'keys need a terminal: {error}') from error
    tty.setcbreak(descriptor)
    try:
        yield lambda wait: _typed(descriptor, wait)
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def _typed(descriptor: int, wait: float) -> str:
    ready, _, _ = select.select([descriptor], [], [], wait)
    return os.read(descriptor, 1024).decode(errors='ignore') if ready else ''
