"""Measure what online learning costs the robot in time: ``python scripts/measure_idle.py``.

A simulated station at real time runs exploring trials in blocks, in turn with a learner beside it
that trains and hands over weights, and with the learner stopped. Idle is what is left of a trial's
wall clock without resetting, executing and verifying: the station's own bookkeeping, and every
wait for a policy. The difference between the blocks is due to training.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
import os
from pathlib import Path
import signal
import subprocess
import sys
import tempfile
import time

from enpire_nodes.benchmark.learning.suite import demonstrate
from enpire_nodes.cli.session import own_domain
from enpire_nodes.improvement.workspace import Workspace
from enpire_nodes.rollout.ledger import LedgerReader
from enpire_nodes.rollout.records import TrialRecord

_ENPIRE = (sys.executable, '-m', 'enpire_nodes.cli.main')


def main() -> int:
    """Run the blocks, and print the shares."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--blocks', type=int, default=3, help='of each kind')
    parser.add_argument('--trials', type=int, default=8, help='of each block')
    parser.add_argument('--demonstrations', type=int, default=10)
    args = parser.parse_args()
    place = Path(tempfile.mkdtemp(prefix='enpire_idle_'))
    run = place / 'run'
    workspace = Workspace.create(
        place / 'workspace', task='pin_insertion', runs=[run], station='/station_1'
    )
    demonstrate(1, args.demonstrations, str(workspace.replay), str(place / 'about.json'))
    _enpire('train', place=workspace.path)
    with own_domain(), _station(run, place / 'station.log'):
        for _ in range(args.blocks):
            for learning in (True, False):
                with _learner(workspace, place / 'train.log', wanted=learning):
                    name = 'learning' if learning else 'alone'
                    _enpire(
                        'trial', '--explore', '-n', str(args.trials), '--attempts', '1',
                        '--requester', name, place=workspace.path,
                    )  # fmt: skip
                print(f'{name}: {args.trials} trials', flush=True)
    with LedgerReader(run) as ledger:
        trials = [trial for trial in ledger.trials() if trial.closed]
    shares = {name: _share(trials, name) for name in ('learning', 'alone')}
    digests = {t.controller_digest for t in trials if t.requester == 'learning'}
    for name, (idle, wall, count) in shares.items():
        print(f'{name}: idle {idle:.1f} of {wall:.1f} s in {count} trials, {idle / wall:.2%}')
    difference = shares['learning'][0] / shares['learning'][1]
    difference -= shares['alone'][0] / shares['alone'][1]
    print(f'idle due to training: {difference:.2%} of wall-clock (goal: at most 1 %); '
          f'{len(digests)} different weights ran')  # fmt: skip
    print(f'ledger, bags and logs: {place}')
    return 0


def _share(trials: list[TrialRecord], requester: str) -> tuple[float, float, int]:
    own = [trial for trial in trials if trial.requester == requester]
    idle = sum(_idle(trial) for trial in own)
    return idle, sum(trial.wall_seconds for trial in own), len(own)


def _idle(trial: TrialRecord) -> float:
    acting = sum(attempt.end_ns - attempt.start_ns for attempt in trial.attempts) / 1e9
    return trial.wall_seconds - trial.reset_seconds - trial.verify_seconds - acting


@contextmanager
def _station(run: Path, log: Path) -> Iterator[None]:
    with _process('up', '--pace', 'realtime', '--run', str(run), place=run.parent, log=log):
        deadline = time.monotonic() + 90.0
        while 'end            Ctrl-C' not in log.read_text('utf-8', 'replace'):
            if time.monotonic() > deadline:
                raise TimeoutError(f'the station is not up after 90 s; see {log}')
            time.sleep(0.5)
        yield


@contextmanager
def _learner(workspace: Workspace, log: Path, *, wanted: bool) -> Iterator[None]:
    if not wanted:
        yield
        return
    with _process('train', '--follow', place=workspace.path, log=log):
        yield


@contextmanager
def _process(*arguments: str, place: Path, log: Path) -> Iterator[None]:
    with log.open('ab') as stream:
        process = subprocess.Popen(
            [*_ENPIRE, *arguments], cwd=place, stdout=stream, stderr=subprocess.STDOUT
        )
    try:
        yield
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(60.0)
        except subprocess.TimeoutExpired:
            process.kill()


def _enpire(*arguments: str, place: Path) -> None:
    subprocess.run(
        [*_ENPIRE, *arguments], cwd=place, check=True, timeout=1800.0, env=os.environ,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip


if __name__ == '__main__':
    raise SystemExit(main())
