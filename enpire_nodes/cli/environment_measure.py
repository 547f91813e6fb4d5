"""``enpire environment measure``: judge many episodes and reset many scenes, and report."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import datetime, timezone
import getpass
from importlib.metadata import PackageNotFoundError, version
import os
from pathlib import Path
import platform
import sys
import time
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from enpire_nodes.bringup.configuration import ConfigurationError, load_configuration
from enpire_nodes.cli.environment_bench import BenchFiles, JudgeBench
from enpire_nodes.cli.runs import console
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.environment.acceptance import report as reports
from enpire_nodes.environment.acceptance import sheet
from enpire_nodes.environment.acceptance.criteria import Requirements
from enpire_nodes.environment.acceptance.judged import Case, Judged, require_both_classes
from enpire_nodes.environment.acceptance.measure import (
    judge_case,
    measure,
    plan,
    try_reset,
)
from enpire_nodes.environment.acceptance.table import tables
from enpire_nodes.environment.evidence import load
from enpire_nodes.tasks.registry import task_names

HELP = 'judge many labelled episodes and try many resets'
#: Far from the seeds that anything is fitted on: what is measured must never have been learned.
HELD_OUT = 1_000_000
#: How the object lies before a reset: mostly where a trial left it. A lying pin is met about once
#: in 200 cycles of a campaign, and here once in 20.
PLACEMENTS = (
    'hole', 'cradle', 'hole', 'standing', 'hole', 'hole', 'cradle', 'hole', 'standing', 'hole',
    'hole', 'cradle', 'hole', 'standing', 'hole', 'lying', 'cradle', 'hole', 'standing', 'hole',
)  # fmt: skip
_SHOWN = 24  # pictures of wrong verdicts


def add_parser(subparsers: Any) -> None:
    """Add the action to the ``enpire environment`` parser."""
    parser = subparsers.add_parser('measure', help=HELP, description=__doc__)
    parser.add_argument('task', choices=task_names(), metavar='TASK', help='name of the task')
    parser.add_argument(
        '--station', default='station_1', metavar='STATION',
        help='station file, or the name of one in config/stations (default: station_1)',
    )  # fmt: skip
    parser.add_argument(
        '--episodes', type=int, default=3000, metavar='N',
        help='simulated episodes, half of them successes (default: 3000)',
    )  # fmt: skip
    parser.add_argument('--kinds', metavar='KIND,...', help='only these kinds of episodes')
    parser.add_argument(
        '--evidence', type=Path, metavar='DIR', help='judge the labelled evidence in it too'
    )
    parser.add_argument(
        '--resets', type=int, default=200, metavar='N', help='resets to try (default: 200)'
    )
    parser.add_argument(
        '--seed', type=int, default=HELD_OUT, metavar='N',
        help=f'of the first episode (default: {HELD_OUT}; do not fit on these)',
    )  # fmt: skip
    parser.add_argument('--weights', type=Path, metavar='FILE', help='of the learned eyes')
    parser.add_argument(
        '--workers', type=int, default=2, metavar='N', help='processes (default: 2)'
    )
    parser.add_argument(
        '--output', type=Path, metavar='DIR',
        help='folder for the report and the pictures (default: environment/TASK)',
    )  # fmt: skip
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure; return 0 when everything that is required is met, else 1."""
    try:
        configuration = load_configuration(args.station, task=args.task)
    except ConfigurationError as error:
        sys.stderr.write(f'enpire environment measure: {error}\n')
        return 2
    files = BenchFiles.of(configuration, args.weights)
    bench = files()
    began, before = time.monotonic(), files.digests()
    cases = _cases(args, bench)
    judged = _work(files, judge_case, cases, args.workers, 'judging')
    require_both_classes(judged)
    jobs = [
        (PLACEMENTS[index % len(PLACEMENTS)], args.seed + index) for index in range(args.resets)
    ]
    resets = _work(files, try_reset, jobs, args.workers, 'resetting')
    after = files.digests()
    changed = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    report = reports.build(
        judged,
        resets,
        required=Requirements(),
        task=bench.task.name,
        digest=bench.verifier().digest,
        files=before,
        about=_about(args.workers, time.monotonic() - began),
        changed=changed,
    )
    output = args.output or Path('environment') / args.task
    reports.write(report, output / 'acceptance.json')
    _pictures(bench, judged, output)
    bench.close()
    console().print(tables(report))
    console().print(f'written: {output}/acceptance.json, confusions.png and kinds.png')
    return 0 if report['passed'] else 1


def _cases(args: argparse.Namespace, bench: JudgeBench) -> list[Case]:
    cases = []
    if args.evidence is not None:
        found = sorted(args.evidence.rglob('*.npz'))
        if not found:
            raise StationError(
                ErrorCode.ENVIRONMENT_TOO_FEW_EPISODES, f'there is no evidence in {args.evidence}'
            )
        cases = [Case(path=path) for path in found]
    if args.episodes <= 0:
        return cases
    if args.seed < HELD_OUT:
        raise StationError(
            ErrorCode.ENVIRONMENT_NOT_ACCEPTED,
            f'seeds below {HELD_OUT} are for fitting, and {args.seed} is one: what was learned '
            'must not be measured; take another --seed',
        )
    kinds = dict(bench.kinds)
    if args.kinds:
        wanted = args.kinds.split(',')
        if unknown := sorted(set(wanted) - set(kinds)):
            raise StationError(
                ErrorCode.ENVIRONMENT_UNLABELLED,
                f'no such kind of episode: {", ".join(unknown)}; there are {", ".join(kinds)}',
            )
        kinds = {kind: kinds[kind] for kind in wanted}
    return cases + plan(kinds, args.episodes, first_seed=args.seed)


def _work(files: BenchFiles, do: Any, jobs: Sequence, workers: int, words: str) -> list:
    """Do jobs under a bar of progress."""
    bar = Progress(
        f'{words:10}',
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
    with bar:
        shown = bar.add_task('', total=len(jobs))
        return measure(
            files, do, jobs, workers=workers, progress=lambda done: bar.advance(shown, done)
        )


def _about(workers: int, seconds: float) -> dict[str, Any]:
    """Return when, by whom and with what it was measured."""
    versions = {'python': platform.python_version()}
    for name in ('numpy', 'opencv-python', 'mujoco', 'torch'):
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return {
        'measured_at': datetime.now(timezone.utc).isoformat(timespec='seconds'),
        'measured_by': f'{getpass.getuser()}@{platform.node()}',
        'versions': versions,
        'workers': workers,
        'cores': os.cpu_count() or 1,
        'load_average': [round(value, 2) for value in os.getloadavg()],
        'seconds': round(seconds, 1),
    }


def _pictures(bench: JudgeBench, judged: Sequence[Judged], output: Path) -> None:
    """Write the sheets of what went wrong and of every kind; episodes are made once more."""

    def tiles(chosen: Sequence[Judged]) -> list:
        return [
            sheet.tile(load(one.case.path) if one.case.path else bench.make(one.case)[0], one)
            for one in chosen
        ]

    sheet.write(sheet.sheet(tiles(sheet.worst_first(judged)[:_SHOWN])), output / 'confusions.png')
    sheet.write(sheet.sheet(tiles(sheet.examples(judged))), output / 'kinds.png')
