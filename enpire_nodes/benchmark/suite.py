"""A whole station brought up for a number of trials, and everything that was seen of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from enpire_nodes.benchmark.calling import Caller, CallFailedError
from enpire_nodes.benchmark.load import Shares
from enpire_nodes.benchmark.looks import look_again
from enpire_nodes.benchmark.request import request_trials
from enpire_nodes.benchmark.witness import Watched, Witness
from enpire_nodes.bringup.configuration import StationConfiguration
from enpire_nodes.bringup.station import StationProcesses
from enpire_nodes.rollout.ledger import LedgerReader
from enpire_nodes.rollout.recorder_parameters import TOPICS
from enpire_nodes.rollout.recording.patterns import absolute, matches
from enpire_nodes.rollout.records import TrialRecord
from enpire_nodes.rollout.run_directory import RunDirectory

#: What every run is watched for, relative to the station's namespace.
NEEDED = (
    'trial',
    'verdict',
    'command/lease',
    'command/*/target_pose',
    'camera/*/camera_info',
    '/diagnostics',
)
_KEPT = ('trial', 'verdict', 'command/lease', '/diagnostics')
_READY_WITHIN = 120.0  # s


@dataclass(frozen=True, slots=True)
class Order:
    """Trials that a station shall run; the first one only warms it up.

    :param seeds: of the starting poses.
    :param timeout: s of the wall clock, for all of them.
    :param looks: more verdicts on the last scene.
    :param everything: watch every topic that the bags hold, to find what is lost.
    """

    seeds: Sequence[int]
    controller: str
    max_attempts: int
    timeout: float
    looks: int = 0
    everything: bool = True


@dataclass(slots=True)
class SuiteRun:
    """What a station did.

    :param trials: closed ones, in order, the first included.
    :param topics: what a witness saw, by full name.
    :param looks: of further verdicts: from when on their pictures count, in ns.
    :param memory: bytes (PSS) of each process, the most that was seen.
    :param shares: of one core, of each process, while trials ran.
    :param problem: why it ended early; empty when it did not.
    """

    configuration: StationConfiguration
    trials: list[TrialRecord] = field(default_factory=list)
    topics: dict[str, Watched] = field(default_factory=dict)
    looks: dict[tuple[str, int], int] = field(default_factory=dict)
    memory: dict[str, int] = field(default_factory=dict)
    shares: dict[str, float] = field(default_factory=dict)
    problem: str = ''

    def topic(self, name: str) -> str:
        """Return the full name of one of the station's topics."""
        return absolute(name, self.configuration.namespace)

    def bag(self, trial: TrialRecord) -> Path:
        """Return where the bag of a trial lies."""
        return RunDirectory(self.configuration.run).bag(trial.trial_id)

    @property
    def total_memory(self) -> int:
        """Memory of all processes in bytes (PSS)."""
        return sum(self.memory.values())


def run_suite(
    configuration: StationConfiguration,
    order: Order,
    *,
    progress: Callable[[int], None] = lambda completed: None,
) -> SuiteRun:
    """Bring a station up, let it run trials, and take it down.

    :param progress: told how many trials are closed.
    :raises StationNotReadyError, StationTakenError, OSError: it did not come up at all.
    """
    result = SuiteRun(configuration)
    space = configuration.namespace
    patterns = [absolute(name, space) for name in (*NEEDED, *(TOPICS if order.everything else ()))]
    with StationProcesses(configuration) as station:
        witness = Witness(
            space,
            wanted=lambda name: any(matches(pattern, name) for pattern in patterns),
            keep=[absolute(name, space) for name in _KEPT],
        )
        try:
            station.wait_ready(_READY_WITHIN)
            _work(station, order, result, progress)
        finally:
            witness.close()
    result.topics = witness.topics
    with LedgerReader(configuration.run) as ledger:
        result.trials = [trial for trial in ledger.trials() if trial.closed]
    return result


def _work(
    station: StationProcesses,
    order: Order,
    result: SuiteRun,
    progress: Callable[[int], None],
) -> None:
    shares: Shares | None = None

    def closed(completed: int) -> None:
        nonlocal shares
        progress(completed)
        for name, size in station.memory().items():
            result.memory[name] = max(size, result.memory.get(name, 0))
        if shares is None and completed > 0:
            shares = Shares(_processes(station))

    try:
        with Caller(station.namespace) as caller:
            answer = request_trials(
                caller,
                seeds=order.seeds,
                controller=order.controller,
                max_attempts=order.max_attempts,
                timeout=order.timeout,
                progress=closed,
            )
            if answer.completed < len(order.seeds):
                done = f'{answer.completed} of {len(order.seeds)} trials'
                result.problem = f'{done}: {answer.message}'
            if shares is not None:
                result.shares = shares.read()
            if order.looks:
                result.looks = look_again(caller, order.looks)
    except CallFailedError as error:
        result.problem = str(error)


def _processes(station: StationProcesses) -> dict[str, int]:
    """Return the process id of each process, named by its nodes."""
    names: dict[int, list[str]] = {}
    for node, pid in station.pids().items():
        names.setdefault(pid, []).append(node)
    return {'+'.join(nodes): pid for pid, nodes in names.items() if pid}
