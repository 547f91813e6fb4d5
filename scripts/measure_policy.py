"""Measure the round trip to a policy in its own process: ``python scripts/measure_policy.py``."""

import argparse
from pathlib import Path
import tempfile
import time

import numpy as np

from enpire_nodes.rollout.controllers.interface import AttemptContext
from enpire_nodes.rollout.policy.client import PolicyWorker, WorkerSpec

FEATURES = {
    name: np.zeros(size)
    for name, size in (
        ('tcp', 3),
        ('target', 3),
        ('orientation', 4),
        ('force', 3),
        ('torque', 3),
        ('gripper', 2),
        ('tip', 3),
        ('tip_valid', 1),
        ('elapsed', 1),
    )
}


def main() -> None:
    """Ask 30 times a second, as the executor does, and print the percentiles."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--seconds', type=float, default=20.0)
    parser.add_argument('--rate', type=float, default=30.0, help='Hz')
    parser.add_argument('--controller', default='spiral_search')
    arguments = parser.parse_args()
    log = Path(tempfile.mkdtemp(prefix='enpire_policy_')) / 'policy.log'
    worker = PolicyWorker(WorkerSpec(arguments.controller, log))
    began = time.monotonic()
    worker.start()
    print(f'started in {time.monotonic() - began:.2f} s, isolated by {worker.walls or "nothing"}')
    worker.reset(AttemptContext())
    trips, late, period = [], 0, 1.0 / arguments.rate
    began = time.monotonic()
    for step in range(int(arguments.seconds * arguments.rate)):
        time.sleep(max(0.0, began + step * period - time.monotonic()))
        asked = time.perf_counter()
        late += worker.step(FEATURES, deadline=0.025) is None
        trips.append(time.perf_counter() - asked)
    worker.stop()
    p50, p99, longest = np.percentile(trips, [50, 99, 100]) * 1e3
    print(
        f'{len(trips)} round trips: p50 {p50:.2f} ms, p99 {p99:.2f} ms, max {longest:.2f} ms, '
        f'{late} later than 25 ms'
    )


if __name__ == '__main__':
    main()
