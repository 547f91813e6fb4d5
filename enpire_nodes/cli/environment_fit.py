"""``enpire environment fit``: train the learned eyes of the judge on labelled episodes.

Learns from the labelled attempts of a run, from a folder of labelled evidence, and, on a simulated
station, from simulated episodes. Prints what the eyes make of episodes that they did not learn
from, and writes their weights.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
import sys
import time
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn
from rich.table import Table

from enpire_nodes.bringup.configuration import ConfigurationError, load_configuration
from enpire_nodes.cli.environment_bench import BenchFiles, JudgeBench
from enpire_nodes.cli.environment_measure import HELD_OUT
from enpire_nodes.cli.runs import console
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.environment.acceptance.judged import Case
from enpire_nodes.environment.acceptance.measure import measure, plan
from enpire_nodes.environment.evidence import load
from enpire_nodes.environment.learned.dataset import Episode, episode_of
from enpire_nodes.environment.learned.fit import fit
from enpire_nodes.environment.learned.weights import save_weights, Weights
from enpire_nodes.tasks.eye import Crop
from enpire_nodes.tasks.registry import task_names

HELP = 'train the learned eyes of the judge on labelled episodes'
SIMULATED = 600  # episodes


def add_parser(subparsers: Any) -> None:
    """Add the action to the ``enpire environment`` parser."""
    parser = subparsers.add_parser('fit', help=HELP, description=__doc__)
    parser.add_argument('task', choices=task_names(), metavar='TASK', help='name of the task')
    parser.add_argument(
        '--station', default='station_1', metavar='STATION',
        help='station file, or the name of one in config/stations (default: station_1)',
    )  # fmt: skip
    parser.add_argument(
        '--run', type=Path, metavar='DIR', dest='recorded',
        help='run with labelled attempts (default: environment/TASK/run, if there is one)',
    )  # fmt: skip
    parser.add_argument(
        '--evidence',
        type=Path,
        metavar='DIR',
        help='folder of labelled evidence to learn from too',
    )
    parser.add_argument(
        '--episodes', type=int, metavar='N',
        help=f'simulated episodes, half of them successes (default: {SIMULATED} on a simulated '
        'station, else 0)',
    )  # fmt: skip
    parser.add_argument(
        '--seed', type=int, default=0, metavar='N',
        help='of the first simulated episode, and of the training (default: 0)',
    )  # fmt: skip
    parser.add_argument(
        '--workers', type=int, default=2, metavar='N',
        help='processes that prepare episodes (default: 2)',
    )  # fmt: skip
    parser.add_argument(
        '--output', type=Path, metavar='FILE',
        help='where the weights go (default: environment/TASK/weights.npz)',
    )  # fmt: skip
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Fit, write the weights, and say what they are worth; 0 when they are written."""
    try:
        configuration = load_configuration(args.station, task=args.task)
    except ConfigurationError as error:
        sys.stderr.write(f'enpire environment fit: {error}\n')
        return 2
    files = BenchFiles(configuration.task, configuration.task_file, configuration.station_file)
    bench, began = files(), time.monotonic()
    crops = bench.crops()
    folder = Path('environment') / args.task
    recorded = _recorded(args.recorded or folder / 'run', bench, crops, named=bool(args.recorded))
    cases = _cases(args, bench, simulated=configuration.driver == 'simulated')
    bench.close()
    out = console()
    weights = fit(
        bench.task.name,
        crops,
        [*recorded, *_prepared(files, crops, cases, args.workers)],
        seed=args.seed,
        report=lambda line: out.print(line, style='dim', highlight=False, soft_wrap=True),
    )
    path = args.output or folder / 'weights.npz'
    digest = _save(weights, path)
    out.print(table(weights))
    for line in doubts(weights):
        out.print(line, style='yellow', highlight=False, soft_wrap=True)
    out.print(
        f'{time.monotonic() - began:.0f} s; written: {path} (sha256 {digest[:12]})\n'
        f'Measure the judge with it: enpire environment measure {args.task} --weights {path}\n'
        'Judge with it: name it as `weights` below `files` of the station file, or by --weights.',
        highlight=False,
        soft_wrap=True,
    )
    return 0


def crop_case(bench: JudgeBench, case: Case, *, crops: Mapping[str, Crop]) -> Episode:
    """Return what is learned from one case; runs in the workers."""
    evidence = load(case.path) if case.path else bench.make(case)[0]
    return episode_of(evidence, crops)


def table(weights: Weights) -> Table:
    """Return what the eyes make of the held-out episodes."""
    shown = Table(title='held-out episodes')  # narrow enough for 80 columns
    for name in (
        'eye', 'successes', 'failures', 'false +', '95 % bound', 'false -', 'unsure', 'range',
        'Brier',
    ):  # fmt: skip
        shown.add_column(name, justify='left' if name == 'eye' else 'right')
    for name, eye in weights.eyes.items():
        held = eye.held_out
        shown.add_row(
            name,
            str(held['successes']),
            str(held['failures']),
            str(held['false_positives']),
            f'{held["false_positive_bound"]:.1%}',
            str(held['false_negatives']),
            str(held['uncertain']),
            f'{eye.thresholds.low:.2f}–{eye.thresholds.high:.2f}',
            f'{held["brier"]:.4f}',
        )
    return shown


def doubts(weights: Weights) -> list[str]:
    """Return a line for each eye of which too few failures were held out to show its bound."""
    bound = weights.about['bound']
    return [
        f'{camera}: {eye.held_out["failures"]} held-out failures cannot show that fewer than '
        f'{bound:.0%} fool this eye; fit on more episodes'
        for camera, eye in weights.eyes.items()
        if eye.held_out['false_positive_bound'] > bound
    ]


def _recorded(
    run: Path, bench: JudgeBench, crops: Mapping[str, Crop], *, named: bool
) -> list[Episode]:
    """Return what is learned from the labelled attempts of a run; it must be there if named."""
    from enpire_nodes.rollout.labelled import labelled_evidence
    from enpire_nodes.rollout.ledger import LedgerReader

    if not named and not run.exists():
        return []
    with LedgerReader(run) as ledger:
        return [episode_of(evidence, crops) for evidence in labelled_evidence(ledger, bench.task)]


def _cases(args: argparse.Namespace, bench: JudgeBench, *, simulated: bool) -> list[Case]:
    cases = []
    if args.evidence is not None:
        found = sorted(args.evidence.rglob('*.npz'))
        if not found:
            raise StationError(
                ErrorCode.ENVIRONMENT_TOO_FEW_EPISODES, f'there is no evidence in {args.evidence}'
            )
        cases = [Case(path=path) for path in found]
    count = SIMULATED * simulated if args.episodes is None else args.episodes
    if count <= 0:
        return cases
    if args.seed < 0 or args.seed + count > HELD_OUT:
        raise StationError(
            ErrorCode.ENVIRONMENT_TOO_FEW_EPISODES,
            f'{count} episodes from seed {args.seed} on are not all within 0 ... {HELD_OUT}: what '
            'is measured on must not be learned; take another --seed',
        )
    return cases + plan(dict(bench.kinds), count, first_seed=args.seed)


def _prepared(
    files: BenchFiles, crops: Mapping[str, Crop], cases: Sequence[Case], workers: int
) -> list[Episode]:
    bar = Progress(
        'preparing',
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
    with bar:
        shown = bar.add_task('', total=len(cases))
        return measure(
            files,
            partial(crop_case, crops=crops),
            cases,
            workers=workers,
            progress=lambda done: bar.advance(shown, done),
        )


def _save(weights: Weights, path: Path) -> str:
    try:
        return save_weights(weights, path)
    except OSError as error:
        raise StationError(
            ErrorCode.ENVIRONMENT_WEIGHTS_UNUSABLE,
            f'cannot write {path}: {error.strerror}; check the path and the disk',
        ) from error
