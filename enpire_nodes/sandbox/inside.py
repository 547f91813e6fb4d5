"""The first program in an agent's sandbox: relays TCP to the station's sockets, runs the agent.

``python -m enpire_nodes.sandbox.inside [--relay PORT=/path.sock ...] -- PROGRAM ARGUMENT ...``

Programs that speak TCP alone (Git, the agents' command lines) find the station's Unix sockets at
ports of 127.0.0.1, which in a sandbox is a machine of its own. Signals are handed on to the
program, and its exit code is ours. What it leaves behind ends with the sandbox, as soon as we do.
Standard library alone: it starts in every sandbox, and at once.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
import os
import resource
import signal
import sys

_FORWARDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1,
              signal.SIGUSR2)  # fmt: skip
_PIECE = 65536
#: As the shell says it: not found, and found but not a program.
_NOT_FOUND, _NOT_RUNNABLE = 127, 126


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program until it ends; return its exit code, 128 + the signal that ended it."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    cut = given.index('--') if '--' in given else len(given)
    parser = argparse.ArgumentParser(prog='inside', description=__doc__.splitlines()[0])
    parser.add_argument('--relay', action='append', default=[], type=_relay, metavar='PORT=SOCKET')
    options = parser.parse_args(given[:cut])
    argv = given[cut + 1 :]
    if not argv:
        parser.error('name a program after --')
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # its memory is nobody's business
    return asyncio.run(_run(options.relay, argv))


def _relay(text: str) -> tuple[int, str]:
    port, _, path = text.partition('=')
    if not (port.isdecimal() and path.startswith('/')):
        raise argparse.ArgumentTypeError(f'{text!r} is not PORT=/path/of/a.sock')
    return int(port), path


async def _run(relays: Sequence[tuple[int, str]], argv: Sequence[str]) -> int:
    async with AsyncExitStack() as stack:
        for port, path in relays:
            server = await asyncio.start_server(_Relay(path), '127.0.0.1', port, limit=_PIECE)
            stack.callback(server.close)
        forward = _Forward()
        loop = asyncio.get_running_loop()
        for number in _FORWARDED:
            loop.add_signal_handler(number, forward, number)
        try:
            program = await asyncio.create_subprocess_exec(*argv)
        except OSError as error:
            sys.stderr.write(f'{argv[0]} cannot be started: {error}\n')
            return _NOT_FOUND if isinstance(error, FileNotFoundError) else _NOT_RUNNABLE
        forward.to(program)
        code = await program.wait()
    return 128 - code if code < 0 else code


class _Forward:
    """Hands signals on to the program; those that come before it is there, when it is."""

    def __init__(self) -> None:
        self._program: asyncio.subprocess.Process | None = None
        self._early: list[int] = []

    def __call__(self, number: int) -> None:
        if self._program is None:
            self._early.append(number)
            return
        with suppress(ProcessLookupError):  # it has just ended
            self._program.send_signal(number)

    def to(self, program: asyncio.subprocess.Process) -> None:
        """Name the program, which runs."""
        self._program = program
        for number in self._early:
            self(number)


class _Relay:
    """Joins every connection that comes in with one of its own to a Unix socket."""

    def __init__(self, path: str) -> None:
        self._path = path
        # asyncio itself holds its tasks weakly: one that only waits could be collected
        self._tasks: set[asyncio.Task | None] = set()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self._tasks.add(task)
        try:
            await self._join(reader, writer)
        finally:
            self._tasks.discard(task)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_unix_connection(self._path, limit=_PIECE)
        except OSError as error:
            sys.stderr.write(f'relay: {self._path}: {error}\n')
            writer.transport.abort()
            return
        try:
            # each way ends on its own: Git says all it has, and listens for long afterwards
            await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        except asyncio.CancelledError:
            return  # the program has ended, and all of this with it
        except OSError:
            # one side broke off: so must the other, or it would wait for ever
            far_writer.transport.abort()
            writer.transport.abort()
        finally:
            far_writer.close()
            writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(_PIECE):
        writer.write(piece)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()


if __name__ == '__main__':
    code = main()
    sys.stdout.flush()
    os._exit(code)  # connections that are still open do not hold us
