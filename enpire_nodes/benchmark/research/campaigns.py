"""Whole campaigns on simulated stations in one process: what the builtin researcher achieves.

``python -m enpire_nodes.benchmark.research.campaigns SEED [SEED ...] [--trials N]``. Reset, policy
and judge are those of every station; commits are kept in memory.
"""

from __future__ import annotations

import argparse
from pathlib import Path
import sys
import tempfile
from typing import Any

from enpire_nodes.benchmark.bare import BareSetup, BareTrials
from enpire_nodes.benchmark.learning.station import LearningStation
from enpire_nodes.benchmark.learning.steps import policy_of
from enpire_nodes.benchmark.research.desk import BareDesk
from enpire_nodes.benchmark.research.memory import MemoryRepository
from enpire_nodes.benchmark.research.simulated import assemble, template_files
from enpire_nodes.common.files import config_file
from enpire_nodes.evolution.researcher.proposer import Proposer
from enpire_nodes.evolution.researcher.rehearsal import write_files
from enpire_nodes.evolution.researcher.start import start_files


class DriftingStation(LearningStation):
    """A station whose arm is off by as much as one says.

    :param drift: m, sd per axis.
    """

    def __init__(self, seed: int, drift: float) -> None:
        self._drift = {'drift_sd': drift, 'drift_time': 30.0}
        super().__init__(seed)

    def _open(self) -> None:
        file = str(config_file('stations/simulated.yaml'))
        self._trials = BareTrials(
            BareSetup('pin_insertion', '', file, self._seed, self._drift, 'hold', {}, 1)
        )


def campaign(seed: int, *, drift: float, trials: int) -> dict[str, Any]:
    """Run one campaign; return what came of it."""
    files = template_files()
    repository = MemoryRepository({**files, **start_files(files)})
    station = DriftingStation(seed, drift)
    policies: dict[str, Any] = {}

    def run(commit: str, pose: int) -> bool:
        if commit not in policies:
            with tempfile.TemporaryDirectory() as folder:
                write_files(repository.files(commit), Path(folder))
                policies[commit] = policy_of(Path(folder))
        _, record = station.run(policies[commit], seed * 1_000_000 + pose, name='learned')
        return record.first_attempt_success

    def move(commit: str) -> None:
        repository.main = commit

    desk = BareDesk(run, repository.main, move, budget_trials=trials)
    start = repository.main
    researcher = assemble(desk, repository, Proposer(repository, seed), plan=None, say=_say)
    researcher.run(wait=1.0)
    station.close()
    tree = researcher.look(desk.jobs())
    return {
        'seed': seed,
        'start': str(tree.nodes[start].count),
        'retests': desk.retests,
        'blocks': desk.blocks,
        'best': repository.lineage(desk.main),
        'ideas': len(tree.ideas()),
        'dead': len(tree.dead()),
        'trials': desk.used,
    }


def _say(words: str) -> None:
    sys.stdout.write(words + '\n')
    sys.stdout.flush()


def main() -> None:
    """Run a campaign for each seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('seeds', type=int, nargs='+')
    parser.add_argument('--trials', type=int, default=105, help='of a campaign (default: 105)')
    parser.add_argument('--drift', type=float, default=0.003, help='m, sd per axis')
    args = parser.parse_args()
    for seed in args.seeds:
        _say(repr(campaign(seed, drift=args.drift, trials=args.trials)))


if __name__ == '__main__':
    main()
