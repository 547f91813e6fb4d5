"""Measure one step of the workspace's policy, with its weights: ``measure_learned.py WORKSPACE``.

The policy runs in a process of its own, as on a station; what is timed is the round trip from the
executor to it and back, 30 times a second.
"""

from __future__ import annotations

import argparse
from pathlib import Path
import tempfile
import time

import numpy as np

from enpire_nodes.improvement import ReplayStore
from enpire_nodes.improvement.selection import learned_settings
from enpire_nodes.improvement.workspace import Workspace
from enpire_nodes.rollout.controllers.interface import AttemptContext
from enpire_nodes.rollout.policy.client import PolicyWorker, WorkerSpec


def main() -> None:
    """Feed recorded features to the policy, and print the percentiles."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('workspace', type=Path)
    parser.add_argument('--seconds', type=float, default=30.0)
    parser.add_argument('--rate', type=float, default=30.0, help='Hz')
    args = parser.parse_args()
    workspace = Workspace.find(args.workspace)
    trial = next(iter(ReplayStore(workspace.replay)))
    features = trial.attempts[0].features
    rows = len(trial.attempts[0].stamps) // 2  # it must not end: it would think no more
    log = Path(tempfile.mkdtemp(prefix='enpire_policy_')) / 'policy.log'
    worker = PolicyWorker(WorkerSpec('learned', log, settings=learned_settings(workspace)))
    began = time.monotonic()
    worker.start()
    print(f'started in {time.monotonic() - began:.2f} s')
    worker.reset(AttemptContext())
    took, due = [], time.monotonic()
    for index in range(round(args.seconds * args.rate)):
        row = {name: values[index % rows].astype(float) for name, values in features.items()}
        began = time.perf_counter()
        worker.step(row, deadline=1.0)
        took.append(time.perf_counter() - began)
        due += 1.0 / args.rate
        time.sleep(max(0.0, due - time.monotonic()))
    worker.stop()
    p50, p99 = np.percentile(np.array(took[30:]) * 1e3, (50, 99))
    print(
        f'{len(took)} steps: p50 {p50:.2f} ms, p99 {p99:.2f} ms, longest {max(took) * 1e3:.2f} ms'
    )


if __name__ == '__main__':
    main()
