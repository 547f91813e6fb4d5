"""How busy the machine and the processes of a station are."""

from __future__ import annotations

from collections.abc import Mapping
import os
from pathlib import Path
import platform
import time

import psutil

from enpire_nodes.bringup.memory import family


class Shares:
    """CPU time of processes, their children included, from now until :meth:`read`.

    :param pids: of each process, by name.
    """

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = dict(pids)
        self._began = time.monotonic()
        self._before = self._times()

    def read(self) -> dict[str, float]:
        """Return the share of one core that each process has taken since the beginning.

        A process that ended or was replaced meanwhile is left out.
        """
        seconds = time.monotonic() - self._began
        after = self._times()
        return {
            name: max(0.0, after[name] - before) / seconds
            for name, before in self._before.items()
            if name in after and seconds > 0.0
        }

    def _times(self) -> dict[str, float]:
        found = {}
        for name, pid in self._pids.items():
            if pid and psutil.pid_exists(pid):
                found[name] = sum(map(_cpu_seconds, family(pid)))
        return found


def machine() -> dict[str, object]:
    """Say what the figures were measured on, and how busy it was already."""
    return {
        'processor': _processor(),
        'cores': os.cpu_count(),
        'load_average': [round(value, 2) for value in os.getloadavg()],
        'memory_gb': round(psutil.virtual_memory().total / 1e9, 1),
        'system': platform.platform(),
        'python': platform.python_version(),
    }


def busy_already(description: Mapping[str, object]) -> str:
    """Return a warning when others use the machine; empty when it is quiet.

    :param description: as :func:`machine` gave it before anything was measured.
    """
    load, cores = description['load_average'][0], description['cores'] or 1
    if load <= 0.25 * cores:
        return ''
    return (
        f'the machine was busy before the bench began (load {load:g} on {cores} cores): '
        'every figure below is worse than on a quiet one'
    )


def _cpu_seconds(pid: int) -> float:
    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.Error:
        return 0.0
    return times.user + times.system + times.children_user + times.children_system


def _processor() -> str:
    try:
        lines = Path('/proc/cpuinfo').read_text().splitlines()
    except OSError:
        lines = []
    names = [line.split(':', 1)[1].strip() for line in lines if line.startswith('model name')]
    return names[0] if names else platform.machine()
