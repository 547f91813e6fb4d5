"""What the sandbox adds to one step: ``python -m enpire_nodes.benchmark.sandbox_cost``.

Two workers of the same controller run side by side, one in bubblewrap and one behind the other
walls alone, and are asked in turn, at the control rate, so that both see the machine as it is.
"""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from dataclasses import asdict, dataclass
import json
from pathlib import Path
import sys
import tempfile
import time

import numpy as np

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.controllers.interface import AttemptContext
from enpire_nodes.rollout.policy.client import PolicyWorker, WorkerSpec

GOAL_MS = 0.5
_MODES = ('off', 'required')
_DEADLINE = 5.0  # s
_WARM = 50  # steps of each that are not counted
#: What the pin's observer gives a policy, by size.
_FEATURES = {
    'tcp': np.zeros(3),
    'target': np.zeros(3),
    'force': np.zeros(3),
    'torque': np.zeros(3),
    'tip': np.zeros(3),
    'tip_valid': np.ones(1),
}


@dataclass(frozen=True, slots=True)
class Cost:
    """Round trips of a step, and starts of a worker, without and with the sandbox, in ms.

    :param added_median: difference of the medians; ``added_p99`` of the 99th percentiles.
    :param start: until the controller is made, the median of a few starts, without;
        ``start_in_sandbox`` with the sandbox.
    :param steps: that were counted, of each.
    """

    median: float
    median_in_sandbox: float
    added_median: float
    p99: float
    p99_in_sandbox: float
    added_p99: float
    start: float
    start_in_sandbox: float
    steps: int

    @property
    def within_goal(self) -> bool:
        """Whether the median step costs no more than the goal."""
        return self.added_median <= GOAL_MS

    def __str__(self) -> str:
        return (
            f'sandbox: {self.added_median:+.3f} ms a policy step at the median, '
            f'{self.added_p99:+.2f} ms at p99 (goal {GOAL_MS:g} ms); {self.steps} steps of each, '
            f'in turns: median {self.median:.3f} and {self.median_in_sandbox:.3f} ms, p99 '
            f'{self.p99:.2f} and {self.p99_in_sandbox:.2f} ms; start of a worker '
            f'{self.start:.0f} and {self.start_in_sandbox:.0f} ms'
        )


def measure(steps: int = 3000, *, rate: float = 100.0, starts: int = 5) -> Cost:
    """Measure it here.

    :param steps: of each worker.
    :param rate: Hz, of the pairs of steps; 0 for as fast as they come.
    :raises StationError: POLICY_WORKER_FAILED where there is no sandbox, or a step failed.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix='enpire_cost_')))
        began = {mode: [] for mode in _MODES}
        for _ in range(starts):
            for mode in _MODES:
                began[mode].append(_timed_start(_worker(folder, mode)))
        workers = {mode: _worker(folder, mode) for mode in _MODES}
        for worker in workers.values():
            stack.callback(worker.stop)
            worker.start()
            worker.reset(AttemptContext())
        trips = _interleaved(workers, steps, 1.0 / rate if rate else 0.0)
    off, on = (1e3 * np.array(trips[mode][_WARM:]) for mode in _MODES)
    return Cost(
        median=float(np.median(off)),
        median_in_sandbox=float(np.median(on)),
        added_median=float(np.median(on) - np.median(off)),
        p99=float(np.percentile(off, 99)),
        p99_in_sandbox=float(np.percentile(on, 99)),
        added_p99=float(np.percentile(on, 99) - np.percentile(off, 99)),
        start=1e3 * float(np.median(began['off'])),
        start_in_sandbox=1e3 * float(np.median(began['required'])),
        steps=len(on),
    )


def _worker(folder: Path, mode: str) -> PolicyWorker:
    return PolicyWorker(WorkerSpec('hold', folder / f'{mode}.log', sandbox=mode))


def _timed_start(worker: PolicyWorker) -> float:
    began = time.monotonic()
    try:
        worker.start()
        return time.monotonic() - began
    finally:
        worker.stop()


def _interleaved(
    workers: dict[str, PolicyWorker], steps: int, period: float
) -> dict[str, list[float]]:
    """Ask in turn, each first in every second pair; return the round trips in s."""
    trips: dict[str, list[float]] = {mode: [] for mode in workers}
    due = time.monotonic()
    for number in range(steps + _WARM):
        order = _MODES if number % 2 else _MODES[::-1]
        for mode in order:
            began = time.perf_counter()
            if workers[mode].step(_FEATURES, deadline=_DEADLINE) is None:
                raise StationError(
                    ErrorCode.POLICY_WORKER_FAILED,
                    f'a step took more than {_DEADLINE} s; measure on a machine that is less busy',
                )
            trips[mode].append(time.perf_counter() - began)
        due += period
        time.sleep(max(0.0, due - time.monotonic()))
    return trips


def main() -> int:
    """Measure, print the figures as JSON; return 0 when the goal is met."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--steps', type=int, default=3000, help='of each worker')
    parser.add_argument('--rate', type=float, default=100.0, help='Hz; 0: as fast as it goes')
    options = parser.parse_args()
    cost = measure(options.steps, rate=options.rate)
    rounded = {key: round(value, 4) for key, value in asdict(cost).items()}
    sys.stdout.write(json.dumps(rounded, indent=2) + '\n')
    return 0 if cost.within_goal else 1


if __name__ == '__main__':
    raise SystemExit(main())
