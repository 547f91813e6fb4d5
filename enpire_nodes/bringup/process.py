"""One operating-system process of a station: started, watched, and stopped for certain."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
import contextlib
import enum
import os
from pathlib import Path
import signal
import subprocess
import sys
import time

from enpire_nodes.bringup.container import MISCONFIGURED
from enpire_nodes.bringup.nodes import ProcessSpec

_TAIL = 4096  # bytes of a log that are searched for the reason of an exit


class State(enum.Enum):
    """What a process is doing."""

    STOPPED = 'stopped'
    RUNNING = 'running'
    WAITING = 'waiting to be started again'
    GIVEN_UP = 'given up'


class NodeProcess:
    """A process and its restarts. Not thread-safe: one thread starts, polls and stops it.

    :param spec: what to run.
    :param log: file that its output is appended to.
    :param parameters: ROS parameter file with the values of its nodes.
    :param environment: of the process.
    """

    def __init__(
        self, spec: ProcessSpec, *, log: Path, parameters: Path, environment: Mapping[str, str]
    ) -> None:
        self.spec = spec
        self.log = log
        self.state = State.STOPPED
        self.restarts = 0
        self.reason = ''
        self._parameters = parameters
        self._environment = dict(environment)
        self._child: subprocess.Popen | None = None
        self._starts: deque[float] = deque()
        self._due = 0.0

    @property
    def name(self) -> str:
        """Name of the process: its node's, or its nodes' joined by ``+``."""
        return self.spec.name

    @property
    def pid(self) -> int:
        """Process id, also its process group's; 0 while it does not run."""
        return self._child.pid if self._child is not None and self.state is State.RUNNING else 0

    def command(self) -> list[str]:
        """Return the command line."""
        checks = [
            argument
            for node in self.spec.nodes
            for name in node.meant
            for argument in ('--check', f'{node.name}:{name}')
        ]
        remappings = [
            argument
            for source, target in self.spec.remappings
            for argument in ('-r', f'{source}:={target}')
        ]
        return [
            sys.executable, '-m', 'enpire_nodes.bringup.container',
            *(node.name for node in self.spec.nodes),
            *checks, '--parent', str(os.getpid()),
            '--ros-args', '-r', f'__ns:={self.spec.namespace}',
            '--params-file', str(self._parameters), *remappings, '--disable-external-lib-logs',
        ]  # fmt: skip

    def start(self) -> None:
        """Start it in a process group of its own.

        :raises OSError: it cannot be started.
        """
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open('ab') as log:
            self._child = subprocess.Popen(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment,
                start_new_session=True,
            )
        self._starts.append(time.monotonic())
        self.state = State.RUNNING

    def poll(self) -> str:
        """Notice an exit, and start again when it is due.

        :return: what happened since the last call, for the log; empty when nothing did.
        """
        if self.state is State.RUNNING:
            code = self._child.poll()
            return '' if code is None else self._ended(code)
        if self.state is State.WAITING and time.monotonic() >= self._due:
            self.restarts += 1
            self.start()
            return f'{self.name}: started again ({self.restarts}), pid {self.pid}'
        return ''

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process itself, not to its children."""
        if self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def stop(self, *, interrupt: float = 4.0, terminate: float = 2.0) -> str:
        """End it: SIGINT, then SIGTERM, then SIGKILL; its children with it.

        :param interrupt: s that it has after SIGINT.
        :param terminate: s that it has after SIGTERM.
        :return: what had to be done beyond asking, for the log.
        """
        note = ''
        if self.state is State.RUNNING:
            for number, patience in ((signal.SIGINT, interrupt), (signal.SIGTERM, terminate)):
                self.signal(number)
                try:
                    self._child.wait(patience)
                    break
                except subprocess.TimeoutExpired:
                    note = f'{self.name}: did not end within {patience} s of {number.name}'
            self._end_group()
            self._child.wait(10.0)
        self.state = State.STOPPED
        return note

    def last_words(self) -> str:
        """Return the last line of the log that says something, or an empty string."""
        try:
            with self.log.open('rb') as log:
                log.seek(0, os.SEEK_END)
                log.seek(max(0, log.tell() - _TAIL))
                lines = log.read().decode(errors='replace').splitlines()
        except OSError:
            return ''
        said = [line.strip() for line in lines if line.strip()]
        telling = [
            line for line in said if 'cannot start' in line or '[ERROR]' in line or 'Error' in line
        ]
        return (telling or said or [''])[-1]

    def _ended(self, code: int) -> str:
        self._end_group()
        self.reason = describe_exit(code)
        words = self.last_words()
        text = f'{self.name}: {self.reason}' + (f'; last words: {words}' if words else '')
        respawn, now = self.spec.respawn, time.monotonic()
        while self._starts and self._starts[0] < now - respawn.window:
            self._starts.popleft()
        if code == MISCONFIGURED:
            self.state = State.GIVEN_UP
            return text
        if len(self._starts) > respawn.limit:
            self.state = State.GIVEN_UP
            return (
                f'{text}. Given up: started {len(self._starts)} times within '
                f'{respawn.window:g} s'
            )  # fmt: skip
        self.state = State.WAITING
        self._due = now + respawn.delay
        return text

    def _end_group(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._child.pid, signal.SIGKILL)


def describe_exit(code: int) -> str:
    """Say in words how a process ended; ``code`` as :class:`subprocess.Popen` reports it."""
    if code < 0:
        try:
            return f'killed by {signal.Signals(-code).name}'
        except ValueError:
            return f'killed by signal {-code}'
    return f'ended with exit code {code}'
