"""The ``git`` command, as everything here runs it: with nobody's settings, and with an end.

No system or user configuration, no hooks of the repository, no file system monitor, no question
at a terminal. Every run has a deadline and a most that it may answer, because what lies in the hub
was written by agents.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
import os
from pathlib import Path
import select
import signal
import subprocess
import tempfile
import time

from enpire_nodes.common.errors import ErrorCode, StationError

DEADLINE = 30.0  # s
MOST = 64 * 2**20  # bytes of an answer
_CHUNK = 65536
_WORDS = 2000  # characters of what Git says that are passed on

#: Configuration of our own commands. A server's receive-pack gets none of it but the last lines:
#: it has to run the hub's hook.
_OWN = (
    'core.hooksPath=/dev/null',
    'core.fsmonitor=false',
    'core.fsync=committed',
    'core.attributesFile=/dev/null',
    'core.filesRefLockTimeout=5000',  # ms: two writers wait for each other
    'core.packedRefsTimeout=5000',
    'gc.auto=0',
    'maintenance.auto=false',
    'commit.gpgSign=false',
    'protocol.ext.allow=never',
)
_KEPT = ('PATH', 'TMPDIR', 'LD_LIBRARY_PATH')


@dataclass(frozen=True, slots=True)
class Answer:
    """What a run of Git came to."""

    code: int
    output: bytes
    words: str

    @property
    def text(self) -> str:
        """The output without the white space around it."""
        return self.output.decode('utf-8', 'replace').strip()


class TooMuchError(StationError):
    """Git answered more than it was allowed to."""


def clean_environment(**more: str) -> dict[str, str]:
    """Return the environment of a Git that obeys nobody's settings."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {
        'PATH': os.defpath,
        **kept,
        'HOME': '/nonexistent',
        'LC_ALL': 'C.UTF-8',
        'GIT_CONFIG_NOSYSTEM': '1',
        'GIT_CONFIG_GLOBAL': os.devnull,
        'GIT_ATTR_NOSYSTEM': '1',
        'GIT_TERMINAL_PROMPT': '0',
        'GIT_NO_REPLACE_OBJECTS': '1',
        'GIT_NO_LAZY_FETCH': '1',
        'GIT_OPTIONAL_LOCKS': '0',
        'GIT_ALLOW_PROTOCOL': 'file:git:ssh:http:https',
        'GIT_AUTHOR_NAME': 'station',
        'GIT_AUTHOR_EMAIL': 'station@localhost',
        'GIT_COMMITTER_NAME': 'station',
        'GIT_COMMITTER_EMAIL': 'station@localhost',
        **more,
    }


def git(
    repository: Path | None,
    *arguments: str,
    content: bytes = b'',
    deadline: float = DEADLINE,
    most: int = MOST,
    accept: tuple[int, ...] = (0,),
    environment: Mapping[str, str] | None = None,
) -> Answer:
    """Run Git to its end.

    :param repository: the Git directory (never a work tree); None for none.
    :param content: of its standard input.
    :param deadline: s, after which it is killed with all that it started.
    :param most: bytes of output, after which it is killed.
    :param accept: exit codes that are answers.
    :raises StationError: HUB_GIT_FAILED, with Git's words; :class:`TooMuchError` beyond ``most``.
    """
    place = [] if repository is None else [f'--git-dir={repository}']
    settings = [word for setting in _OWN for word in ('-c', setting)]
    command = ['git', *place, *settings, *arguments]
    name = arguments[0]
    try:
        with tempfile.TemporaryFile() as asked, tempfile.TemporaryFile() as told:
            asked.write(content)
            asked.seek(0)
            try:
                process = subprocess.Popen(
                    command, stdin=asked, stdout=subprocess.PIPE, stderr=told,
                    env=clean_environment() if environment is None else dict(environment),
                    cwd='/', start_new_session=True,
                )  # fmt: skip
            except FileNotFoundError as error:
                raise _failed(name, repository, f'{error}; install git') from error
            try:
                output = _read(process, name, repository, time.monotonic() + deadline, most)
            finally:
                _end(process)
            told.seek(0)
            words = told.read(4 * _WORDS).decode('utf-8', 'replace').strip()[:_WORDS]
    except OSError as error:  # a disk that is full, or too many open files
        raise _failed(name, repository, str(error)) from error
    if process.returncode not in accept:
        raise _failed(name, repository, words or f'it ended with {process.returncode}')
    return Answer(process.returncode, output, words)


def _read(
    process: subprocess.Popen, name: str, repository: Path | None, end: float, most: int
) -> bytes:
    output = bytearray()
    stream = process.stdout.fileno()
    poller = select.poll()  # unlike select(), it knows file descriptors beyond 1023
    poller.register(stream, select.POLLIN)
    while True:
        left = end - time.monotonic()
        if left <= 0 or not poller.poll(left * 1000.0):
            raise _failed(name, repository, 'it took too long and was ended; try again')
        piece = os.read(stream, _CHUNK)
        if not piece:
            break
        output += piece
        if len(output) > most:
            raise TooMuchError(
                ErrorCode.HUB_GIT_FAILED,
                f'git {name} answers more than {most} bytes about {repository}; it was ended',
            )
    try:
        process.wait(max(0.0, end - time.monotonic()) + 1.0)
    except subprocess.TimeoutExpired as error:
        raise _failed(name, repository, 'it took too long and was ended; try again') from error
    return bytes(output)


def _end(process: subprocess.Popen) -> None:
    process.stdout.close()
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _failed(name: str, repository: Path | None, words: str) -> StationError:
    where = f' in {repository}' if repository is not None else ''
    return StationError(ErrorCode.HUB_GIT_FAILED, f'git {name} fails{where}: {words}')
