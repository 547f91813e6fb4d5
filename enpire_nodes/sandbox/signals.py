"""Sending a signal to the program in a sandbox: bubblewrap hands none on, and dies of it."""

from __future__ import annotations

import os
from pathlib import Path
import signal


def program_of(bubblewrap: int) -> int:
    """Return the id, out here, of the program that a sandbox runs; 0 when there is none (yet).

    :param bubblewrap: the process that was started with :func:`~.bubblewrap.command`. It runs a
        second one, the first process in there, whose first child is the program.
    """
    pid = bubblewrap
    for _ in range(2):
        children = _children(pid)
        if not children:
            return 0
        pid = min(children)
    return pid


def send(bubblewrap: int, number: signal.Signals) -> bool:
    """Send a signal to the program that a sandbox runs; tell whether there was one."""
    pid = program_of(bubblewrap)
    if not pid:
        return False
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def _children(pid: int) -> list[int]:
    try:
        listed = Path(f'/proc/{pid}/task/{pid}/children').read_text('ascii')
    except OSError:
        return []  # it has ended
    return [int(child) for child in listed.split()]
