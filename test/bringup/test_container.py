"""Nodes in a process: their parameters exist, and they end with the one who started them."""

from __future__ import annotations

import os
from pathlib import Path
import signal
import subprocess
import sys
import time

import pytest

from enpire_nodes.bringup.station import child_environment

pytestmark = pytest.mark.ros
CONTAINER = [sys.executable, '-m', 'enpire_nodes.bringup.container']


def run_container(*arguments: str, timeout: float = 40.0) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*CONTAINER, *arguments],
        env=child_environment(),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def ended(pid: int) -> bool:
    try:
        return Path(f'/proc/{pid}/stat').read_text().rsplit(')', 1)[1].split()[0] == 'Z'
    except OSError:
        return True


@pytest.mark.parametrize(
    ('arguments', 'reason'),
    [
        (
            ['--check', 'safety_gate:command_timout'],
            "safety_gate has no parameter 'command_timout'; did you mean command_timeout?",
        ),
        (
            ['--ros-args', '-p', 'command_timeout:=1'],
            "safety_gate: Trying to set parameter 'command_timeout' to '1' of type 'INTEGER'",
        ),
        (['--ros-args', '-p', 'pace:=fast'], "pace: 'fast' is not one of realtime"),
        (['--ros-args', '-p', 'command_timeout:=99.0'], 'command_timeout'),
    ],
)
def test_wrong_parameters_end_with_a_reason(
    domain: int, arguments: list[str], reason: str
) -> None:
    done = run_container('safety_gate', *arguments)
    assert done.returncode == 2
    (line,) = [line for line in done.stderr.splitlines() if line.startswith('cannot start: ')]
    assert reason in line


def test_an_unknown_node_is_refused() -> None:
    done = run_container('gate')
    assert done.returncode == 2
    assert "invalid choice: 'gate'" in done.stderr


@pytest.mark.parametrize('deaf', [False, True])
def test_it_does_not_outlive_its_parent(domain: int, tmp_path: Path, deaf: bool) -> None:
    log = tmp_path / 'child.log'
    ignore = 'import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)' if deaf else ''
    child = (
        'import os, time\n'
        'from enpire_nodes.bringup.container import end_with_parent\n'
        'end_with_parent(os.getppid(), grace=0.5)\n'
        f'{ignore}\nprint(os.getpid(), flush=True)\nwhile True: time.sleep(0.1)\n'
    )
    script = (
        f'import subprocess, sys\nsubprocess.run([sys.executable, "-c", {child!r}], '
        f'stdout=open({str(log)!r}, "w"))'
    )
    parent = subprocess.Popen([sys.executable, '-c', script], env=child_environment())
    deadline = time.monotonic() + 30
    while not (log.is_file() and log.read_text().endswith('\n')):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    pid = int(log.read_text())
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait(10)
    deadline = time.monotonic() + 10
    while not ended(pid):
        assert time.monotonic() < deadline, 'the child outlived its parent'
        time.sleep(0.02)
