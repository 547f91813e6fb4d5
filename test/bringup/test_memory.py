"""Memory is counted over a process and its children."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from enpire_nodes.bringup.memory import family, proportional


def test_memory_counts_what_a_child_holds() -> None:
    holder = 'x = bytearray(40_000_000); print(flush=True); import time; time.sleep(60)'
    script = f'import subprocess, sys; subprocess.run([sys.executable, "-c", {holder!r}])'
    parent = subprocess.Popen(
        [sys.executable, '-c', script], stdout=subprocess.PIPE, start_new_session=True
    )
    try:
        parent.stdout.readline()
        time.sleep(0.1)
        pids = family(parent.pid)
        assert pids[0] == parent.pid
        assert len(pids) == 2
        assert proportional(pids) - proportional([parent.pid]) > 40_000_000
    finally:
        os.killpg(parent.pid, 9)
        parent.wait(10)


def test_an_ended_process_holds_nothing() -> None:
    child = subprocess.Popen(['true'])
    child.wait(10)
    assert proportional([child.pid]) == 0
    assert family(child.pid) == [child.pid]
