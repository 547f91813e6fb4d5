"""``enpire environment fit``: train the learned eyes of the judge on labelled episodes.

Learns from the labelled attempts of a run, from a folder of labelled evidence, and, on a simulated
station, from simulated episodes. Prints what the eyes make of episodes that they did not learn
from, and writes their weights.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Mapping
from functools import partial
from pathlib import Path
import time
from typing import Any

from rich.table import Table

from enpire_nodes.bringup.configuration import StationConfiguration
from enpire_nodes.cli.environment_bench import BenchFiles, JudgeBench
from enpire_nodes.cli.environment_work import (
    add_evidence,
    add_station,
    add_task,
    add_workers,
    count,
    for_station,
    HELD_OUT,
    labelled_files,
    make_folder,
    work,
)
from enpire_nodes.cli.runs import console
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.environment.acceptance.judged import Case
from enpire_nodes.environment.acceptance.measure import plan
from enpire_nodes.environment.learned.dataset import Episode, episode_of, require_enough
from enpire_nodes.environment.learned.fit import fit
from enpire_nodes.environment.learned.weights import save_weights, Weights
from enpire_nodes.rollout.labelled import labelled_attempts, labelled_evidence, labels_of
from enpire_nodes.rollout.ledger import LedgerReader
from enpire_nodes.tasks.eye import Crop

HELP = 'train the learned eyes of the judge on labelled episodes'
#: Simulated episodes. With half as many one odd failure among those held out sets a threshold so
#: high that the front eye abstains of one success in four.
SIMULATED = 1200


def add_parser(subparsers: Any) -> None:
    """Add the action to the ``enpire environment`` parser."""
    parser = subparsers.add_parser('fit', help=HELP, description=__doc__)
    add_task(parser)
    add_station(parser)
    parser.add_argument(
        '--run', type=Path, metavar='DIR', dest='recorded',
        help='run with labelled attempts (default: environment/TASK/run, if there is one)',
    )  # fmt: skip
    add_evidence(parser, 'folder of labelled evidence to learn from too')
    parser.add_argument(
        '--episodes', type=count, metavar='N',
        help=f'simulated episodes, half of them successes (default: {SIMULATED} on a simulated '
        'station, else 0)',
    )  # fmt: skip
    parser.add_argument(
        '--seed', type=count, default=0, metavar='N',
        help='of the first simulated episode, and of the training (default: 0)',
    )  # fmt: skip
    add_workers(parser)
    parser.add_argument(
        '--output', type=Path, metavar='FILE',
        help='where the weights go (default: environment/TASK/weights.npz)',
    )  # fmt: skip
    parser.set_defaults(run=for_station('fit', run))


def run(args: argparse.Namespace, configuration: StationConfiguration) -> int:
    """Fit, write the weights, and say what they are worth; 0 when they are written."""
    began, out = time.monotonic(), console()
    say = partial(out.print, highlight=False, soft_wrap=True, markup=False)
    files = BenchFiles(configuration.task, configuration.task_file, configuration.station_file)
    bench = files()
    crops = bench.crops()
    folder = Path('environment') / args.task
    labelled = Labelled(args.recorded or folder / 'run', needed=bool(args.recorded))
    for line in labelled.remarks():
        say(line, style='yellow')
    seen = list(labelled_files(args.evidence, crops).values())
    cases = _cases(args, bench, simulated=configuration.driver == 'simulated')
    labels = [*labelled.labels(), *(one.label for one in seen)]
    # before minutes of work: duplicates are found, and may be too many, only afterwards
    require_enough(Counter([*labels, *(bench.kinds[case.kind] for case in cases)]))
    path = args.output or folder / 'weights.npz'
    make_folder(path.parent)
    learned = [
        *labelled.episodes(bench, crops),
        *seen,
        *work(files, partial(crop_case, crops=crops), cases, workers=args.workers, words='cut'),
    ]
    bench.close()
    weights = fit(
        bench.task.name, crops, learned, seed=args.seed, report=partial(say, style='dim')
    )
    digest = save_weights(weights, path)
    out.print(table(weights))
    for line in doubts(weights):
        say(line, style='yellow')
    say(
        f'{time.monotonic() - began:.0f} s; written: {path} (sha256 {digest[:12]})\n'
        f'Measure the judge with it: enpire environment measure {args.task} --weights {path}\n'
        'Judge with it: name it as `weights` below `files` of the station file, or by --weights.'
    )
    return 0


class Labelled:
    """The labelled attempts of a run.

    :param run: folder; one that is not there has none.
    :param needed: it must be there.
    """

    def __init__(self, run: Path, *, needed: bool) -> None:
        self._run = run if needed or run.exists() else None

    def remarks(self) -> list[str]:
        """Return a line for each attempt of which people, or a person and the truth, differ."""
        if self._run is None:
            return []
        labels = labels_of(self._run)
        return [
            *(f'{line}: left out until they agree' for line in labels.disputed),
            *(f'{line}: the person counts' for line in labels.corrected),
        ]

    def labels(self) -> list[bool]:
        """Return the labels of its attempts.

        :raises StationError: there is no such run, or it has none.
        """
        if self._run is None:
            return []
        with LedgerReader(self._run) as ledger:
            return [label for _, _, label in labelled_attempts(ledger)]

    def episodes(self, bench: JudgeBench, crops: Mapping[str, Crop]) -> list[Episode]:
        """Return what is learned from its attempts, read from their bags."""
        if self._run is None:
            return []
        with LedgerReader(self._run) as ledger:
            return [episode_of(one, crops) for one in labelled_evidence(ledger, bench.task)]


def crop_case(bench: JudgeBench, case: Case, *, crops: Mapping[str, Crop]) -> Episode:
    """Return what is learned from one case; runs in the workers."""
    return episode_of(bench.make(case)[0], crops)


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


def _cases(args: argparse.Namespace, bench: JudgeBench, *, simulated: bool) -> list[Case]:
    number = SIMULATED * simulated if args.episodes is None else args.episodes
    if not number:
        return []
    if args.seed + number > HELD_OUT:
        raise StationError(
            ErrorCode.ENVIRONMENT_TOO_FEW_EPISODES,
            f'{number} episodes from seed {args.seed} on are not all within 0 ... {HELD_OUT}: '
            'what is measured on must not be learned; take another --seed',
        )
    return plan(dict(bench.kinds), number, first_seed=args.seed)
