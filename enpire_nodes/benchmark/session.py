"""One run of the bench: what is measured, in which order, and what could not be."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
import logging
from pathlib import Path
import time

from enpire_nodes.benchmark.bare import BareSetup
from enpire_nodes.benchmark.bare_process import BareProcess
from enpire_nodes.benchmark.suite import Order, run_suite, SuiteRun
from enpire_nodes.benchmark.timing import TrialTiming
from enpire_nodes.bringup.configuration import load_configuration, StationConfiguration
from enpire_nodes.bringup.table import COMPOSITIONS
from enpire_nodes.rollout.controllers import registry
from enpire_nodes.rollout.trial.seeds import trial_seed

_LOG = logging.getLogger(__name__)
_CAMPAIGN = 2606  # of the seeds, the same in every bench
#: A calibration without errors: every trial goes the same way, so that only its cost differs.
STEADY = {'noise.drift_sd': 0.0}
_PATIENCE = 60.0  # s a trial may take on average


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured.

    :param trials: of each kind, besides the one that warms up.
    :param short: trials with the other composition of nodes.
    :param looks: more verdicts on the last scene at real time, for their latency.
    """

    station: str
    directory: Path
    controller: str
    trials: int
    short: int
    looks: int = 0
    max_attempts: int = 8


@dataclass(slots=True)
class Results:
    """What was measured; None or empty where it could not be.

    :param bare_paced: bare trials at real time; ``bare_free`` as fast as they go.
    :param realtime: the suite at real time, with the default composition of nodes.
    :param lockstep: the suite as fast as it goes.
    :param other: the suite at real time, with the other composition.
    :param problems: why something is missing, by what it was.
    """

    bare_paced: list[TrialTiming] = field(default_factory=list)
    bare_free: list[TrialTiming] = field(default_factory=list)
    bare_memory: int = 0
    realtime: SuiteRun | None = None
    lockstep: SuiteRun | None = None
    other: SuiteRun | None = None
    problems: dict[str, str] = field(default_factory=dict)


class Session:
    """Runs everything, one after the other, so that nothing disturbs what is measured.

    The bare trials at real time stand before and after the suite's: a machine that becomes busier
    or slower in between shows in both.

    :param tell: gets a line whenever something begins or ends.
    :raises ConfigurationError: the station's file cannot be used.
    :raises StationError: there is no such controller.
    """

    def __init__(self, plan: Plan, *, tell: Callable[[str], None] = lambda line: None) -> None:
        self._plan, self._tell = plan, tell
        self._configuration('realtime', 'default')
        registry.controller_class(plan.controller)
        self.results = Results()
        numbers = range(plan.trials + 1)
        self._warm, *self._seeds = [trial_seed(_CAMPAIGN, number) for number in numbers]

    def run(self) -> Results:
        """Measure everything that can be."""
        half = (len(self._seeds) + 1) // 2
        results = self.results
        with self._part('the bare process'):
            with BareProcess(self._bare_setup()) as bare:
                self._run_bare(bare, [self._warm], [], paced=False)
                with self._part('bare trials at real time'):
                    self._run_bare(bare, self._seeds[:half], results.bare_paced, paced=True)
                self._run_realtime()
                with self._part('bare trials at real time'):
                    self._run_bare(bare, self._seeds[half:], results.bare_paced, paced=True)
                with self._part('bare trials, unpaced'):
                    self._run_bare(bare, self._seeds, results.bare_free, paced=False)
                results.bare_memory = bare.memory()
        if 'the bare process' in results.problems and results.realtime is None:
            self._run_realtime()
        with self._part('the suite in lockstep'):
            results.lockstep = self._run_suite(
                'lockstep', 'default', self._seeds, everything=False
            )
        with self._part('the other composition of nodes'):
            results.other = self._run_suite(
                'realtime', other_composition(), self._seeds[: self._plan.short], everything=True
            )
        return results

    def _run_realtime(self) -> None:
        with self._part('the suite at real time'):
            self.results.realtime = self._run_suite(
                'realtime', 'default', self._seeds, everything=True
            )

    def _run_bare(
        self,
        bare: BareProcess,
        seeds: Sequence[int],
        into: list[TrialTiming],
        *,
        paced: bool,
    ) -> None:
        for number, seed in enumerate(seeds, 1):
            pace = 'at real time' if paced else 'unpaced'
            self._tell(f'bare process, {pace}: trial {number} of {len(seeds)}')
            into.append(bare.run(seed, paced=paced))

    def _run_suite(
        self, pace: str, composition: str, seeds: Sequence[int], *, everything: bool
    ) -> SuiteRun:
        what = f'suite, {pace}, nodes {composition}'
        count = len(seeds) + 1
        self._tell(f'{what}: coming up')
        order = Order(
            (self._warm, *seeds),
            self._plan.controller,
            self._plan.max_attempts,
            timeout=_PATIENCE * count,
            looks=self._plan.looks if pace == 'realtime' and composition == 'default' else 0,
            everything=everything,
        )
        run = run_suite(
            self._configuration(pace, composition),
            order,
            progress=lambda done: self._tell(f'{what}: {done} of {count} trials'),
        )
        if run.problem:
            self.results.problems[what] = run.problem
        return run

    def _configuration(self, pace: str, composition: str) -> StationConfiguration:
        return load_configuration(
            self._plan.station,
            pace=pace,
            composition=composition,
            run=self._plan.directory / f'{pace}-{composition}',
            seed=1,
            parameters={'driver': dict(STEADY)},
        )

    def _bare_setup(self) -> BareSetup:
        return BareSetup.of(
            self._configuration('realtime', 'default'),
            controller=self._plan.controller,
            max_attempts=self._plan.max_attempts,
        )

    @contextmanager
    def _part(self, what: str) -> Iterator[None]:
        """Let the rest go on when a part cannot be measured, and remember why."""
        began = time.monotonic()
        try:
            yield
        except Exception as error:  # noqa: BLE001 - is reported beside the figures it leaves out
            _LOG.debug('%s', what, exc_info=True)
            reason = str(error) or type(error).__name__
            self.results.problems.setdefault(what, reason)
            self._tell(f'{what}: failed after {time.monotonic() - began:.0f} s: {reason}')


def other_composition() -> str:
    """Return the name of the composition to hold against the default one."""
    default = COMPOSITIONS['default']
    return 'grouped' if default == COMPOSITIONS['separate'] else 'separate'


def default_composition() -> str:
    """Return the name that the default composition has besides."""
    default = COMPOSITIONS['default']
    names = (name for name, value in COMPOSITIONS.items() if value == default)
    return next(name for name in names if name != 'default')
