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
import time
from typing import Any

from enpire_nodes.bringup.configuration import StationConfiguration
from enpire_nodes.cli.environment_bench import BenchFiles, JudgeBench
from enpire_nodes.cli.environment_work import (
    add_evidence,
    add_held_out,
    add_station,
    add_task,
    add_weights,
    add_workers,
    count,
    for_station,
    HELD_OUT,
    labelled_files,
    make_folder,
    require_held_out_seed,
    work,
)
from enpire_nodes.cli.runs import console
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.environment.acceptance import report as reports
from enpire_nodes.environment.acceptance import sheet
from enpire_nodes.environment.acceptance.criteria import Requirements
from enpire_nodes.environment.acceptance.judged import Case, Judged, require_both_classes
from enpire_nodes.environment.acceptance.measure import judge_case, plan, try_reset
from enpire_nodes.environment.acceptance.table import tables
from enpire_nodes.environment.evidence import load
from enpire_nodes.environment.learned.dataset import distinct
from enpire_nodes.environment.learned.held_out import require_held_out
from enpire_nodes.environment.learned.weights import read_weights
from enpire_nodes.tasks.staging import source_of

HELP = 'judge many labelled episodes and try many resets'
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
    add_task(parser)
    add_station(parser)
    add_held_out(parser, episodes=3000, seed=HELD_OUT)
    parser.add_argument('--kinds', metavar='KIND,...', help='only these kinds of episodes')
    add_evidence(parser, 'judge the labelled evidence in it too')
    parser.add_argument(
        '--resets', type=count, default=200, metavar='N', help='resets to try (default: 200)'
    )
    add_weights(parser)
    add_workers(parser)
    parser.add_argument(
        '--output', type=Path, metavar='DIR',
        help='folder for the report and the pictures (default: environment/TASK)',
    )  # fmt: skip
    parser.set_defaults(run=for_station('measure', run))


def run(args: argparse.Namespace, configuration: StationConfiguration) -> int:
    """Measure; return 0 when everything that is required is met, else 1."""
    files = BenchFiles.of(configuration, args.weights)
    bench = files()
    began, before = time.monotonic(), files.digests()
    cases = _cases(args, bench, files.weights)
    output = args.output or Path('environment') / args.task
    make_folder(output)
    judged = work(files, judge_case, cases, workers=args.workers, words='judging')
    jobs = [
        (PLACEMENTS[index % len(PLACEMENTS)], args.seed + index) for index in range(args.resets)
    ]
    resets = work(files, try_reset, jobs, workers=args.workers, words='resetting')
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
    reports.write(report, output / 'acceptance.json')
    _pictures(bench, judged, output)
    bench.close()
    console().print(tables(report))
    console().print(f'written: {output}/acceptance.json, confusions.png and kinds.png')
    return 0 if report['passed'] else 1


def _cases(args: argparse.Namespace, bench: JudgeBench, weights: Path | None) -> list[Case]:
    """Return what is to be judged: of both classes, once each, and never learned by the eyes."""
    made = _simulated(args, bench) if args.episodes else []
    crops = bench.crops() if hasattr(bench.task, 'crops') else {}
    recorded = labelled_files(args.evidence, crops)
    twice = len(recorded) - len(distinct(recorded.values()))
    if twice:
        raise StationError(
            ErrorCode.ENVIRONMENT_NOT_ACCEPTED,
            f'{twice} of {len(recorded)} files in {args.evidence} show what others show: counted '
            'twice they would narrow the bounds; leave them out',
        )
    require_both_classes(
        [
            *(bench.kinds[case.kind] for case in made),
            *(bool(episode.label) for episode in recorded.values()),
        ]
    )
    if weights is not None:
        sources = [source_of(case.kind, case.seed) for case in made]
        require_held_out(read_weights(weights).about, recorded, sources)
    return [*(Case(path=path) for path in recorded), *made]


def _simulated(args: argparse.Namespace, bench: JudgeBench) -> list[Case]:
    require_held_out_seed(args.seed)
    kinds = dict(bench.kinds)
    if args.kinds:
        wanted = args.kinds.split(',')
        if unknown := sorted(set(wanted) - set(kinds)):
            raise StationError(
                ErrorCode.ENVIRONMENT_UNLABELLED,
                f'no such kind of episode: {", ".join(unknown)}; there are {", ".join(kinds)}',
            )
        kinds = {kind: kinds[kind] for kind in wanted}
    return plan(kinds, args.episodes, first_seed=args.seed)


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

    wrong, kinds = sheet.worst_first(judged), sheet.examples(judged)
    shown = wrong[:_SHOWN]
    title = f'{len(shown)} of {len(wrong)} shown that were not judged rightly, the worst first'
    sheet.write(
        sheet.sheet(tiles(shown), title if wrong else 'nothing was judged wrongly'),
        output / 'confusions.png',
    )
    title = f'{len(kinds)} of {len(judged)} shown, the first of each kind'
    sheet.write(sheet.sheet(tiles(kinds), title), output / 'kinds.png')
