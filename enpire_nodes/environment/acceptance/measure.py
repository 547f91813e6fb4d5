"""Judging many episodes and trying many resets, in worker processes.

Where episodes come from is not known here: a worker opens a :class:`Workbench`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
import contextlib
from functools import cache
import multiprocessing
import os
from typing import Protocol, TypeVar

from enpire_nodes.common.environ import restored
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.environment.acceptance.judged import Case, Judged, judged, ResetTried
from enpire_nodes.environment.evidence import Evidence, judge_timed, load
from enpire_nodes.tasks.api import Verifier

Job, Done = TypeVar('Job'), TypeVar('Done')

_THREADS = ('OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS')
_CHUNK = 8  # jobs that a worker gets at once
STALL = 1200.0  # s of wall-clock in which one chunk at least is done, even of resets that fail


class Workbench(Protocol):
    """Where a worker gets episodes, judges and resets from."""

    def make(self, case: Case) -> tuple[Evidence, int]:
        """Return the evidence of a kind and a seed, and how many scenes were dropped for it."""

    def verifier(self) -> Verifier:
        """Return a judge that has seen nothing yet."""

    def reset(self, placement: str, seed: int) -> ResetTried:
        """Try one reset."""

    def close(self) -> None:
        """Give back what it holds. May be repeated."""


#: Opens a workbench in a worker; to be pickled and hashed, so a frozen dataclass at module level.
Opener = Callable[[], Workbench]


def plan(kinds: Mapping[str, bool], count: int, *, first_seed: int) -> list[Case]:
    """Return cases of which every other one is a success, and whose kinds are even.

    :param kinds: whether each is a success.
    :param first_seed: each case has a seed of its own, from here on.
    """
    by_class = [
        [kind for kind, success in kinds.items() if success is wanted] for wanted in (True, False)
    ]
    by_class = [names for names in by_class if names]
    cases = []
    for index in range(count):
        turn, which = divmod(index, len(by_class))
        names = by_class[which]
        cases.append(Case(names[turn % len(names)], first_seed + index))
    return cases


def judge_case(bench: Workbench, case: Case) -> Judged:
    """Judge one episode by a judge of its own.

    :raises StationError: the evidence cannot be read, or has no label.
    """
    evidence, redraws = (load(case.path), 0) if case.path else bench.make(case)
    judgement, seconds = judge_timed(bench.verifier(), evidence)
    return judged(case, evidence, judgement, redraws=redraws, seconds=seconds)


def try_reset(bench: Workbench, job: tuple[str, int]) -> ResetTried:
    """Try one reset of a placement with a seed."""
    return bench.reset(*job)


def measure(
    opener: Opener,
    do: Callable[[Workbench, Job], Done],
    jobs: Sequence[Job],
    *,
    workers: int = 2,
    progress: Callable[[int], None] = lambda done: None,
) -> list[Done]:
    """Do jobs in worker processes.

    :param opener: opens each worker's workbench.
    :param do: :func:`judge_case` or :func:`try_reset`.
    :param workers: processes; 0 does it all in this one.
    :param progress: told how many jobs have just been done.
    :return: in the order of the jobs.
    :raises StationError: what a job raises, or REWARD_INTERNAL for a worker that died or hangs.
    """
    if not workers:
        with contextlib.closing(opener()) as bench:
            done = []
            for job in jobs:
                done.append(do(bench, job))
                progress(1)
            return done
    others = set(multiprocessing.active_children())
    with (
        _one_thread_each(),
        ProcessPoolExecutor(workers, multiprocessing.get_context('spawn')) as pool,
    ):
        futures = [pool.submit(_work, opener, do, list(chunk)) for chunk in _chunks(jobs)]
        try:
            _wait(futures, progress)
        except BaseException as error:
            # leaving the pool waits for its workers, and one that hangs never ends by itself
            for worker in set(multiprocessing.active_children()) - others:
                worker.kill()
            if isinstance(error, BrokenProcessPool):
                raise _failed('died; is there enough memory?') from error
            raise
    return [one for future in futures for one in future.result()]


def _wait(futures: Sequence[Future], progress: Callable[[int], None]) -> None:
    pending = set(futures)
    while pending:
        done, pending = wait(pending, STALL, FIRST_COMPLETED)
        if not done:
            raise _failed(f'did nothing for {STALL:g} s')
        for future in done:
            progress(len(future.result()))


def _failed(why: str) -> StationError:
    return StationError(
        ErrorCode.REWARD_INTERNAL,
        f'a worker process {why}; try again with --workers 0 to see what it does',
    )


@contextlib.contextmanager
def _one_thread_each() -> Iterator[None]:
    """Let workers that start within run their sums in one thread, as a station's nodes do."""
    with restored(*_THREADS):
        os.environ.update(dict.fromkeys(_THREADS, '1'))
        yield


@cache  # one for each worker
def _bench(opener: Opener) -> Workbench:
    return opener()


def _work(opener: Opener, do: Callable[[Workbench, Job], Done], jobs: Sequence[Job]) -> list[Done]:
    return [do(_bench(opener), job) for job in jobs]


def _chunks(jobs: Sequence[Job]) -> Iterator[Sequence[Job]]:
    for start in range(0, len(jobs), _CHUNK):
        yield jobs[start : start + _CHUNK]
