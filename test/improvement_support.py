"""Trials to learn from, workspaces, and bags as a station records them."""

from __future__ import annotations

import json
import os
from pathlib import Path
import subprocess
import sys

import numpy as np

from enpire_nodes.improvement.recorded import RecordedAttempt, RecordedTrial
from enpire_nodes.rollout.record_json import trial_data
from enpire_nodes.rollout.records import (
    AttemptRecord,
    Execution,
    TrialOutcome,
    TrialRecord,
    VerdictOutcome,
    VerdictRecord,
)

#: What the observer of the pin insertion tells, and how many numbers each is.
FEATURES = {
    'tcp': 3, 'target': 3, 'tip': 3, 'tip_valid': 1, 'force': 3, 'torque': 3, 'gripper': 2,
    'elapsed': 1,
}  # fmt: skip
RATE = 30.0


def descent(steps: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Return the features of an arm that goes down over a hole."""
    rng = np.random.default_rng(seed)
    down = np.linspace(0.01, -0.03, steps + 1)
    aside = np.outer(np.linspace(1.0, 0.0, steps + 1), rng.normal(0.0, 0.004, 2))
    tip = np.column_stack([aside, down])
    tcp = tip + (0.0, 0.0, 0.05)
    rows = {
        'tcp': tcp,
        'target': tcp - (0.0, 0.0, 0.002),
        'tip': tip,
        'tip_valid': np.ones((steps + 1, 1)),
        'force': rng.normal(0.0, 0.5, (steps + 1, 3)),
        'torque': rng.normal(0.0, 0.05, (steps + 1, 3)),
        'gripper': np.full((steps + 1, 2), 0.012),
        'elapsed': np.arange(steps + 1)[:, None] / RATE,
    }
    return {name: values.astype(np.float32) for name, values in rows.items()}


def shown_trial(trial_id: str = 'trial_1', *, steps: int = 30, seed: int = 0, **fields):
    """Make a successful demonstration."""
    attempt = RecordedAttempt(
        index=1,
        stamps=np.arange(steps + 1) / RATE,
        features=descent(steps, seed),
        verdict='success',
        execution='completed',
    )
    known = {'outcome': 'success', 'controller': 'demonstrator', 'robot_seconds': 4.0}
    return RecordedTrial(trial_id, (attempt,), **{**known, **fields})


def closed_record(trial_id: str = 'trial_1', *, steps: tuple[int, ...] = (4,), **fields):
    """Make the record of a trial whose last attempt succeeded."""
    attempts = tuple(
        AttemptRecord(
            index=index,
            execution=Execution.COMPLETED,
            steps=count,
            peak_force=2.5,
            depth=0.03,
            operator_seconds=0.5,
            verdict=VerdictRecord(
                VerdictOutcome.SUCCESS if index == len(steps) else VerdictOutcome.FAILURE
            ),
        )
        for index, count in enumerate(steps, start=1)
    )
    known = {
        'outcome': TrialOutcome.SUCCESS if steps else TrialOutcome.RESET_FAILED,
        'controller': 'teleop',
        'controller_digest': 'abc',
        'requester': 'operator',
        'commit': 'c0ffee',
        'reset_seconds': 3.0,
        'execute_seconds': 2.0,
        'verify_seconds': 1.0,
        'attempts': attempts,
    }
    return TrialRecord(trial_id, **{**known, **fields})


def write_record(run: Path, record: TrialRecord) -> Path:
    """Put ``trial.json`` where a station puts it; return the directory of the trial."""
    directory = run / 'trials' / record.trial_id
    directory.mkdir(parents=True, exist_ok=True)
    (directory / 'trial.json').write_text(json.dumps(trial_data(record)), 'utf-8')
    return directory


def without_torch(folder: Path) -> dict[str, str]:
    """Return an environment in which importing torch is an error of its own."""
    poison = folder / 'poison'
    poison.mkdir(exist_ok=True)
    (poison / 'torch.py').write_text("raise SystemExit('torch was imported')\n", 'utf-8')
    path = os.pathsep.join([str(poison), *sys.path])
    return {**os.environ, 'PYTHONPATH': path}


def python(*words: str, place: Path, environment: dict[str, str] | None = None):
    """Run Python in a process of its own."""
    return subprocess.run(
        [sys.executable, *words],
        cwd=place, env=environment, capture_output=True, text=True, timeout=50, check=False,
    )  # fmt: skip
