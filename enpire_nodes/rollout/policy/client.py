"""The executor's side of the policy's process: start, ask and end it, all within deadlines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
import contextlib
from dataclasses import dataclass, field
import os
from pathlib import Path
import signal
import socket
import subprocess
import sys
import time
from typing import Any

import numpy as np

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.controllers.interface import Action, AttemptContext
from enpire_nodes.rollout.policy import enclosure, wire
from enpire_nodes.rollout.policy.protocol import (
    Channel,
    ChannelClosedError,
    Message,
    ProtocolError,
)

_COMMAND = (sys.executable, '-m', 'enpire_nodes.rollout.policy.worker')


@dataclass(frozen=True, slots=True)
class WorkerSpec:
    """Which controller a process runs, and within which limits.

    :param name: of the controller.
    :param settings: that differ from their defaults.
    :param log: file that takes the standard output and error of the policy.
    :param start_deadline: s (wall) from starting the process until its controller is made.
    :param reset_deadline: s (wall) for the controller's ``reset``.
    :param require_isolation: refuse to run where the kernel cannot deny it the network.
    :param sandbox: ``auto`` shuts it off from files and processes too, where bubblewrap works,
        ``required`` refuses to run it where that does not, ``off`` does not try.
    """

    name: str
    log: Path
    settings: Mapping[str, Any] = field(default_factory=dict)
    start_deadline: float = 60.0
    reset_deadline: float = 10.0
    require_isolation: bool = False
    sandbox: str = enclosure.AUTO
    command: Sequence[str] = _COMMAND


class PolicyWorker:
    """A controller in a process of its own.

    Use it from one thread, and let that thread live as long as the worker: the kernel ends the
    process together with the thread that started it. Every method that raises leaves no process
    behind. In a sandbox the process is bubblewrap's, and all that runs in there ends with it.
    """

    def __init__(self, spec: WorkerSpec) -> None:
        self.spec = spec
        self.walls: tuple[str, ...] = ()
        self._sandbox: tuple[str, ...] = ()
        self._process: subprocess.Popen | None = None
        self._channel: Channel | None = None
        self._sequence = 0
        self._owed: int | None = None

    @property
    def running(self) -> bool:
        """Whether the process is there and has not ended."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Process id, 0 when there is no process."""
        return self._process.pid if self._process is not None else 0

    def start(self) -> None:
        """Start the process and let it make the controller.

        :raises StationError: POLICY_WORKER_FAILED when there is no process or no isolation,
            POLICY_BAD_PARAMETER when the controller's files are not there,
            POLICY_CRASHED when the controller cannot be made, POLICY_DEADLINE_MISSED.
        """
        self.stop()
        try:
            self._spawn()
        except StationError:
            self.stop()
            raise
        except OSError as error:
            self.stop()
            raise StationError(
                ErrorCode.POLICY_WORKER_FAILED,
                f'the policy process cannot be started: {error}',
            ) from error
        self._request(wire.make_message(self._next(), self.spec.name, dict(self.spec.settings)))
        answer = self._await_answer(self.spec.start_deadline, 'to make its controller')
        self.walls = (*self._sandbox, *answer.fields.get('walls', ()))
        if self.spec.require_isolation and not self.walls:
            self.stop()
            raise StationError(
                ErrorCode.POLICY_WORKER_FAILED,
                'the kernel allows neither a network namespace nor a seccomp filter, so that the '
                'policy would have the network; allow unprivileged user namespaces, or set '
                'require_isolation to false if you trust the policy',
            )

    def reset(self, context: AttemptContext) -> None:
        """Begin an attempt.

        :raises StationError: POLICY_CRASHED or POLICY_DEADLINE_MISSED.
        """
        self._request(wire.context_message(self._next(), context))
        self._await_answer(self.spec.reset_deadline, 'to begin the attempt')

    def step(self, features: Mapping[str, np.ndarray], *, deadline: float) -> Action | None:
        """Return the action for the features; ``None`` when it did not come within ``deadline`` s.

        A late answer is thrown away when it comes, and until then nothing new is asked.

        :raises StationError: POLICY_CRASHED, POLICY_WRONG_SHAPE or POLICY_NOT_FINITE.
        """
        until = time.monotonic() + deadline
        if self._owed is not None and self._answer(until) is None:
            return None
        self._request(wire.features_message(self._next(), features))
        answer = self._answer(until)
        if answer is None:
            return None
        try:
            return wire.action_of(answer)
        except StationError:
            self.stop()
            raise

    def kill(self) -> None:
        """Kill the process from any thread; whoever waits for its answer learns of it at once."""
        process = self._process
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

    def stop(self) -> None:
        """Kill the process and everything it started, and clean up."""
        self.kill()
        process, channel = self._process, self._channel
        self._process = self._channel = self._owed = None
        if channel is not None:
            channel.close()
        if process is not None:
            # one that even SIGKILL cannot end (a hung device driver) is left to the kernel
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=2.0)

    def _spawn(self) -> None:
        ours, theirs = socket.socketpair()
        self._channel = Channel(ours, largest=wire.LARGEST_ANSWER)
        self.spec.log.parent.mkdir(parents=True, exist_ok=True)
        if self.spec.log.exists():
            self.spec.log.replace(self.spec.log.with_suffix('.previous.log'))
        with theirs, self.spec.log.open('wb') as log:
            spec = self.spec
            start = enclosure.plan(
                spec.sandbox, spec.command, spec.name, spec.settings, theirs.fileno()
            )
            self._sandbox = start.walls
            self._process = subprocess.Popen(
                start.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=start.environment,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )

    def _next(self) -> int:
        self._sequence += 1
        return self._sequence

    def _request(self, message: Message) -> None:
        if self._channel is None:
            raise StationError(ErrorCode.POLICY_WORKER_FAILED, 'the policy process is not running')
        self._owed = message.fields['sequence']
        try:
            # what does not fit the socket's buffer goes out while the answer is awaited
            self._channel.send(message, timeout=0.0)
        except ChannelClosedError as error:
            raise self._death() from error

    def _await_answer(self, timeout: float, purpose: str) -> Message:
        answer = self._answer(time.monotonic() + timeout)
        if answer is None:
            self.stop()
            raise StationError(
                ErrorCode.POLICY_DEADLINE_MISSED,
                f'controller {self.spec.name!r} took more than {timeout:g} s {purpose}; '
                f'its output is in {self.spec.log}',
            )
        return answer

    def _answer(self, until: float) -> Message | None:
        """Return the answer that is owed; ``None`` when it has not come by ``until``."""
        answer = self._receive(until)
        while answer is not None and self._is_late(answer):
            answer = self._receive(until)
        if answer is None:
            return None
        owed, self._owed = self._owed, None
        if answer.kind != 'failed' and answer.fields.get('sequence') != owed:
            self.stop()
            raise StationError(
                ErrorCode.POLICY_CRASHED, f'the policy process answered {answer.kind!r} unasked'
            )
        if answer.kind == 'failed':
            self.stop()
            raise StationError(
                ErrorCode.POLICY_CRASHED,
                f'controller {self.spec.name!r} raised {answer.fields.get("reason")}\n'
                f'{str(answer.fields.get("traceback"))[-8000:]}',
            )
        return answer

    def _receive(self, until: float) -> Message | None:
        try:
            return self._channel.receive(timeout=until - time.monotonic())
        except ChannelClosedError as error:
            raise self._death() from error
        except ProtocolError as error:
            self.stop()
            raise StationError(
                ErrorCode.POLICY_CRASHED,
                f'the policy process answered {error}; nothing but the worker may write there',
            ) from error

    def _is_late(self, answer: Message) -> bool:
        sequence = answer.fields.get('sequence')
        return answer.kind != 'failed' and type(sequence) is int and sequence < self._owed

    def _death(self) -> StationError:
        """Describe how the process ended, with the last lines it wrote, and clean up."""
        process = self._process
        status = 'ended'
        with contextlib.suppress(subprocess.TimeoutExpired):
            status = _describe_exit(process.wait(timeout=1.0))
        self.stop()
        return StationError(
            ErrorCode.POLICY_CRASHED,
            f'the process of controller {self.spec.name!r} {status}; '
            f'the end of its output ({self.spec.log}):\n{_tail(self.spec.log)}',
        )


def _describe_exit(code: int) -> str:
    # of a process in a sandbox we hear as a shell does: 128 + the signal
    number = -code if code < 0 else code - 128
    if number > 0:
        with contextlib.suppress(ValueError):
            return f'was ended by {signal.Signals(number).name}'
    return f'ended with exit code {code}'


def _tail(log: Path, size: int = 2000) -> str:
    try:
        with log.open('rb') as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - size))
            return file.read().decode(errors='replace').strip() or '(nothing)'
    except OSError as error:
        return f'({error})'
