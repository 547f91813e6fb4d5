"""One life of an agent: a process tree, its output as events, and its end."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
import logging
import os
from pathlib import Path
import re
import select
import signal
import subprocess
import threading
import time
from typing import IO
import uuid

import psutil

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.evolution.agents import tree
from enpire_nodes.evolution.agents.interface import AgentEvent, Conversation, EventReader
from enpire_nodes.evolution.agents.output_log import OutputLog

_LOG = logging.getLogger(__name__)
#: Longest line that is read, bytes; agents print whole files in one.
LONGEST = 16 * 2**20
_LAST_WORDS = 5  # lines of the standard error that are kept
_COMPLAINT = re.compile(r'(error|fatal|failed)\b', re.IGNORECASE)
_KILL = 10.0  # s until a killed process must be gone
_LISTEN = 10.0  # s that it may leave its standard input unread


class AgentProcess:
    """Starts a command and looks after everything that it starts.

    ``on_event`` is called in a thread of the process.

    :param environment: all the environment that it gets.
    :param log: file that its output goes to; bounded.
    :param reader: of its output; a :class:`Conversation` is given its standard input too. Lines
        that begin with its ``noise``, if it has such, are not logged.
    :param mark: what the processes of this station's agents are marked with.
    :raises StationError: SUPERVISOR_AGENT_FAILED; the log cannot be written.
    """

    def __init__(
        self,
        argv: Sequence[str],
        environment: Mapping[str, str],
        log: Path,
        on_event: Callable[[AgentEvent], None],
        *,
        reader: EventReader,
        workdir: Path,
        mark: str = 'enpire',
    ) -> None:
        self._argv, self._environment = list(argv), dict(environment)
        self._on_event, self._reader, self._workdir = on_event, reader, workdir
        try:
            self._log = OutputLog(log)
        except OSError as error:
            raise _not_started(error) from error
        self._mark = f'{mark}/{uuid.uuid4().hex}'
        self._process: subprocess.Popen | None = None
        self._threads: list[threading.Thread] = []
        self._last_words: deque[str] = deque(maxlen=_LAST_WORDS)
        self._complaint = ''
        self._writing = threading.RLock()
        self._known: set[psutil.Process] = set()
        self._paused = False
        self._swept = False

    @property
    def pid(self) -> int:
        """Id of the process; 0 before it was started."""
        return self._process.pid if self._process else 0

    @property
    def paused(self) -> bool:
        """Whether it is held."""
        return self._paused

    @property
    def last_words(self) -> str:
        """What it complained of last on its standard error, or else wrote there."""
        return self._complaint or ' / '.join(self._last_words)

    def start(self) -> None:
        """Start it.

        :raises StationError: SUPERVISOR_AGENT_FAILED; the command cannot be run.
        """
        talks = isinstance(self._reader, Conversation)
        try:
            self._process = subprocess.Popen(
                self._argv,
                env={**self._environment, tree.MARK: self._mark},
                cwd=self._workdir,
                stdin=subprocess.PIPE if talks else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            self._log.close()
            raise _not_started(error) from error
        for name, work in (('out', self._read_output), ('err', self._read_errors)):
            thread = threading.Thread(target=work, name=f'agent-{name}', daemon=True)
            self._threads.append(thread)
            thread.start()
        if talks:
            self._write(self._reader.opening())

    def poll(self) -> int | None:
        """Return its exit code, negative for a signal; None while it runs.

        When it has ended, so has everything that it started, and all its events were given.
        """
        if self._process is None:
            return None
        code = self._process.poll()
        if code is not None and not self._swept:
            self._swept = True
            self._finish()
        return code

    def describe(self) -> str:
        """Say in words how it stands."""
        code = self.poll()
        if code is None:
            return 'runs' if self._process else 'was not started'
        words = self.last_words
        said = f'; it said: {words}' if words else ''
        return f'{exit_words(code)}{said}'

    def pause(self) -> None:
        """Stop every process of it, where it stands."""
        if self.poll() is not None or self._process is None:
            return
        self._paused = True
        stopped: set[int] = set()
        for _ in range(10):  # one that was not stopped yet may have forked
            new = [p for p in self._family() if p.pid not in stopped]
            if not new:
                return
            tree.send(new, signal.SIGSTOP)
            stopped |= {process.pid for process in new}

    def resume(self) -> None:
        """Let it go on."""
        self._paused = False
        if self._process is not None:
            tree.send(self._family(), signal.SIGCONT)

    def interrupt(self) -> None:
        """Ask it to leave off, as a person would by Ctrl-C."""
        self._family()  # who ends of it leaves children that nobody finds
        if isinstance(self._reader, Conversation):
            self._write(self._reader.interruption())
        else:
            self._signal(signal.SIGINT)

    def terminate(self) -> None:
        """Ask it to end."""
        self._family()
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it and everything that it started, at once."""
        if self._process is None:
            return
        self._kill_all()
        try:
            self._process.wait(timeout=_KILL)
        except subprocess.TimeoutExpired:
            return
        self.poll()

    def stop(self, grace: float = 5.0) -> int | None:
        """Interrupt, then terminate, then kill it; return its exit code.

        :param grace: s that it gets after each of the first two.
        """
        if self._process is None:
            return None
        for ask in (self.interrupt, self.terminate):
            if self.poll() is not None:
                break
            ask()
            if self._paused:
                self.resume()
            try:
                self._process.wait(timeout=grace)
            except subprocess.TimeoutExpired:
                continue
        self.kill()
        return self.poll()

    # -- details ------------------------------------------------------------------------------

    def _root(self) -> int:
        """Return the id of the process while it is its own."""
        running = self._process is not None and self._process.returncode is None
        return self._process.pid if running else 0

    def _family(self) -> list[psutil.Process]:
        found = tree.family(self._root(), self._mark)
        self._known.update(found)
        return found

    def _kill_all(self) -> None:
        left = tree.kill_all(self._root(), self._mark, within=_KILL, known=self._known)
        if left:
            _LOG.error('processes %s of the agent cannot be killed', left)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is None or self._process.poll() is not None:
            return
        try:
            os.kill(tree.leader(self.pid), number)
        except ProcessLookupError:
            return  # it ended between two lines

    def _finish(self) -> None:
        self._kill_all()
        deadline = time.monotonic() + _KILL
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(max(0.0, deadline - time.monotonic()))
        if self._process is not None and self._process.stdin is not None:
            self._close_input()
        self._log.close()

    def _read_output(self) -> None:
        noise = getattr(self._reader, 'noise', None)
        for line in _lines(self._process.stdout):
            if not (noise and line.startswith(noise)):
                self._log.write(line)
            try:
                events = self._reader.feed(line)
            except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
                # agents change what they print from release to release; none of it is needed
                _LOG.warning('a line of the agent is not understood (%r): %.200s', error, line)
                continue
            for event in events:
                self._on_event(event)
            if isinstance(self._reader, Conversation):
                self._write(self._reader.answers())
                if self._reader.over:
                    self._close_input()

    def _read_errors(self) -> None:
        for line in _lines(self._process.stderr):
            self._log.write(line)
            words = line.strip()[:300]
            if words:
                self._last_words.append(words)
            if _COMPLAINT.match(words):
                self._complaint = words

    def _write(self, lines: list[str]) -> None:
        stream = self._process.stdin if self._process else None
        if stream is None or not lines:
            return
        with self._writing:
            try:
                _send(stream.fileno(), ''.join(f'{line}\n' for line in lines).encode())
            except (OSError, ValueError) as error:  # it closed its end, or we closed ours
                _LOG.info('the agent does not listen any more: %s', error)
                self._close_input()

    def _close_input(self) -> None:
        with self._writing:  # its number may be that of another file when it is written to
            self._process.stdin.close()


def exit_words(code: int) -> str:
    """Say in words how a process ended.

    :param code: negative for a signal, or 128 more than one, as shells have it.
    """
    number = -code if code < 0 else code - 128 if code > 128 else 0
    if number:
        try:
            return f'ended by {signal.Signals(number).name}'
        except ValueError:
            return f'ended with exit code {code}'
    return f'ended with exit code {code}'


def _not_started(error: OSError) -> StationError:
    return StationError(ErrorCode.SUPERVISOR_AGENT_FAILED, f'the agent cannot be started: {error}')


def _send(pipe: int, content: bytes) -> None:
    """Write to a pipe that may be full, for who does not read must hold nobody up.

    :raises OSError: it was closed, or stays full for :data:`_LISTEN`.
    """
    ready = select.poll()
    ready.register(pipe, select.POLLOUT)
    while content:
        if not ready.poll(1e3 * _LISTEN):
            raise TimeoutError(f'it has read nothing for {_LISTEN:g} s')
        content = content[os.write(pipe, content[: select.PIPE_BUF]) :]


def _lines(stream: IO[bytes]) -> Iterator[str]:
    """Yield lines of text; longer ones than :data:`LONGEST` come in parts."""
    while True:
        line = stream.readline(LONGEST)
        if not line:
            stream.close()
            return
        yield line.decode('utf-8', 'replace').rstrip('\r\n')
