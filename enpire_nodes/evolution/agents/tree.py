"""A process and everything that came of it.

Children that fork twice belong to nobody we know any more. They are found again by a variable of
their environment, unless they dropped it: only a PID namespace (the sandbox) holds those too.
"""

from __future__ import annotations

from collections.abc import Iterable
import contextlib
import signal
import time

import psutil

#: Variable that every process of one life of an agent inherits.
MARK = 'ENPIRE_AGENT_LIFE'
_LOOK = 0.02  # s between two looks at who is left
_GONE = (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess)


def family(pid: int, mark: str) -> list[psutil.Process]:
    """Return a process, its descendants, and all that bear its mark; no zombies.

    :param pid: 0 for none: the id of one that was waited for may be somebody else's by now.
    """
    found: dict[int, psutil.Process] = {}
    if pid:
        with contextlib.suppress(*_GONE):
            root = psutil.Process(pid)
            found = {p.pid: p for p in (root, *root.children(recursive=True))}
    for process in marked(mark):
        found.setdefault(process.pid, process)
    return [process for process in found.values() if _lives(process)]


def marked(mark: str) -> list[psutil.Process]:
    """Return the processes that bear a mark, or one below it."""
    found = []
    for process in psutil.process_iter():
        try:
            if f'{process.environ().get(MARK, "")}/'.startswith(f'{mark}/'):
                found.append(process)
        except _GONE:
            continue
        except OSError:  # it died while it was read
            continue
    return found


def leader(pid: int) -> int:
    """Return who a signal is for: below the sandbox, which would die of it."""
    with contextlib.suppress(*_GONE):
        process = psutil.Process(pid)
        while process.name() == 'bwrap':
            children = process.children()
            if not children:
                break
            process = min(children, key=lambda child: child.pid)
        return process.pid
    return pid


def send(processes: Iterable[psutil.Process], number: signal.Signals) -> None:
    """Send a signal to those that are still there."""
    for process in processes:
        with contextlib.suppress(*_GONE):
            process.send_signal(number)


def kill_all(
    pid: int, mark: str, *, within: float, known: Iterable[psutil.Process] = ()
) -> list[int]:
    """Kill a family, and look again until nobody is left; return the ids of who is.

    :param within: s.
    :param known: who belonged to it earlier, and may not be found by a parent that is gone.
    """
    deadline = time.monotonic() + within
    seen = set(known)
    while True:
        seen.update(family(pid, mark))
        left = [process for process in seen if _lives(process)]
        if not left or time.monotonic() >= deadline:
            return [process.pid for process in left]
        send(left, signal.SIGKILL)
        # not psutil's own wait: it would take the exit code of a child from who started it
        time.sleep(_LOOK)


def sweep(mark: str, *, within: float = 10.0) -> int:
    """Kill what lives of an earlier supervisor left behind; return how many there were.

    :param mark: that those lives were given.
    :param within: s.
    """
    count = len(marked(mark))
    if count:
        kill_all(0, mark, within=within)
    return count


def _lives(process: psutil.Process) -> bool:
    try:
        # is_running knows whether the id has been given to another process
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except _GONE:
        return False
