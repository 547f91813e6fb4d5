"""``enpire bench``: what the suite costs, beside the same work in one bare process."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
import sys
import time
from typing import Any

from rich.markup import escape

from enpire_nodes.bringup.configuration import ConfigurationError
from enpire_nodes.cli.runs import console

HELP = 'measure what the suite costs, and its latencies'


def add_parser(subparsers: Any) -> None:
    """Add the command to the ``enpire`` parser."""
    parser = subparsers.add_parser('bench', help=HELP, description=__doc__)
    parser.add_argument(
        'file', nargs='?', default='station_1', metavar='STATION',
        help='station file, or the name of one in config/stations (default: station_1)',
    )  # fmt: skip
    parser.add_argument(
        '--trials', type=_count, default=8, metavar='N',
        help='of each kind that is measured (default: 8, about 6 minutes)',
    )  # fmt: skip
    parser.add_argument(
        '--quick', action='store_true', help='two trials of each kind: to see that it works'
    )
    parser.add_argument(
        '--controller', default='scripted', help='of every trial (default: scripted)'
    )
    parser.add_argument(
        '--output', type=Path, metavar='DIR', help='default: runs/bench-<date>-<time>'
    )
    parser.add_argument('--domain', type=int, metavar='N', help='ROS domain; default: a free one')
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure, print and save; return 0 when everything could be measured, else 1."""
    from enpire_nodes.benchmark.evaluation import evaluate
    from enpire_nodes.benchmark.load import busy_already, machine
    from enpire_nodes.benchmark.plot import draw
    from enpire_nodes.benchmark.report import print_report, write_report
    from enpire_nodes.benchmark.session import Plan, Session
    from enpire_nodes.cli.session import own_domain

    screen = console()
    stamp = time.strftime('%Y%m%d-%H%M%S')
    directory = (args.output or Path('runs') / f'bench-{stamp}').absolute()
    trials = 2 if args.quick else args.trials
    plan = Plan(
        args.file, directory, args.controller, trials=trials, short=1 if args.quick else 3,
        looks=5 if args.quick else 60,
    )  # fmt: skip
    before = machine()
    began = time.monotonic()
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with own_domain(args.domain), screen.status('') as status:
            results = Session(plan, tell=lambda line: status.update(escape(line))).run()
        evaluation = evaluate(results)
        conditions = {
            'started': stamp,
            'seconds': round(time.monotonic() - began, 1),
            'trials': trials,
            'controller': args.controller,
            'station': args.file,
            'load_average_after': list(os.getloadavg()),
        }
        print_report(
            screen, evaluation,
            machine=before, problems=results.problems, warning=busy_already(before),
        )  # fmt: skip
        write_report(
            directory / 'bench.json', evaluation,
            machine=before, problems=results.problems, conditions=conditions,
        )  # fmt: skip
        draw(
            directory / 'bench.png', evaluation,
            title=f'enpire bench, {stamp}: {trials} trials of each kind, {args.controller}',
        )  # fmt: skip
    except (ConfigurationError, OSError) as error:
        sys.stderr.write(f'enpire bench: {error}\n')
        return 2 if isinstance(error, ConfigurationError) else 1
    screen.print(
        f'{time.monotonic() - began:.0f} s; bench.json, bench.png, bags and logs are in '
        f'{directory}'
    )
    unmeasured = results.problems or any(figure.value is None for figure in evaluation.figures)
    return 1 if unmeasured else 0


def _count(text: str) -> int:
    value = int(text)
    if not 1 <= value <= 1000:
        raise argparse.ArgumentTypeError('must be 1 to 1000')
    return value
