"""The one bare process that the suite is measured against, and how it is asked for trials."""

from __future__ import annotations

import contextlib
from multiprocessing import get_context
from multiprocessing.connection import Connection
import os
import time
from types import TracebackType
from typing import Any

from enpire_nodes.benchmark.bare import BareSetup, BareTrials
from enpire_nodes.benchmark.timing import TrialTiming
from enpire_nodes.bringup.memory import family, proportional
from enpire_nodes.bringup.nodes import ENVIRONMENT


class BareFailedError(RuntimeError):
    """The bare process broke, fell silent, or could not do what it was asked."""


class BareProcess:
    """Runs :class:`BareTrials` in a process of its own, which knows no ROS.

    :param setup: of the station.
    :param ready_within: s until its scene must be built.
    :raises BareFailedError: on entering, when the scene cannot be built.
    """

    def __init__(self, setup: BareSetup, *, ready_within: float = 60.0) -> None:
        self._setup, self._ready_within = setup, ready_within

    def __enter__(self) -> BareProcess:
        context = get_context('spawn')
        self._connection, theirs = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(theirs, self._setup), name='bare trials', daemon=True
        )
        with _environment():
            self._process.start()
        theirs.close()
        try:
            self._answer(self._ready_within, 'did not build its scene')
        except BareFailedError:
            self._end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with contextlib.suppress(OSError):
            self._connection.send(None)
        self._process.join(5.0)
        self._end()

    def run(self, seed: int, *, paced: bool, timeout: float = 180.0) -> TrialTiming:
        """Run one trial.

        :param timeout: s of the wall clock.
        :raises BareFailedError: it broke or took longer.
        """
        self._ask((seed, paced))
        return self._answer(timeout, f'did not finish a trial (seed {seed})')

    def memory(self) -> int:
        """Return its memory in bytes (PSS)."""
        return proportional(family(self._process.pid))

    def _ask(self, question: Any) -> None:
        try:
            self._connection.send(question)
        except OSError as error:
            raise BareFailedError(f'the bare process has ended: {error}') from error

    def _answer(self, timeout: float, lapse: str) -> Any:
        deadline = time.monotonic() + timeout
        try:
            if not self._connection.poll(max(0.0, deadline - time.monotonic())):
                self._end()  # its late answer must not be taken for that to the next question
                raise BareFailedError(f'the bare process {lapse} within {timeout:g} s')
            good, answer = self._connection.recv()
        except (EOFError, OSError) as error:
            self._process.join(2.0)
            raise BareFailedError(
                f'the bare process {lapse}: it ended with exit code {self._process.exitcode}'
            ) from error
        if not good:
            raise BareFailedError(f'the bare process {lapse}: {answer}')
        return answer

    def _end(self) -> None:
        self._connection.close()
        if self._process.is_alive():
            self._process.kill()
            self._process.join(5.0)


@contextlib.contextmanager
def _environment() -> Any:
    """Give a child what the processes of a station get."""
    added = [name for name in ENVIRONMENT if name not in os.environ]
    os.environ.update({name: ENVIRONMENT[name] for name in added})
    try:
        yield
    finally:
        for name in added:
            del os.environ[name]


def _serve(connection: Connection, setup: BareSetup) -> None:
    try:
        trials = BareTrials(setup)
    except Exception as error:  # noqa: BLE001 - is told to whoever asked
        connection.send((False, f'{type(error).__name__}: {error}'))
        return
    connection.send((True, None))
    with contextlib.suppress(EOFError, KeyboardInterrupt):
        while (question := connection.recv()) is not None:
            try:
                seed, paced = question
                connection.send((True, trials.run(seed, paced=paced)))
            except Exception as error:  # noqa: BLE001 - is told to whoever asked
                connection.send((False, f'{type(error).__name__}: {error}'))
    trials.close()
