"""``enpire bench``: what the suite costs, beside the same work in one bare process."""

from __future__ import annotations

import argparse
from dataclasses import asdict
import os
from pathlib import Path
import sys
import time
from typing import Any

from rich.markup import escape

from enpire_nodes.bringup.configuration import ConfigurationError
from enpire_nodes.cli.runs import console
from enpire_nodes.common.writing import write_json

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
    parser.add_argument(
        '--only',
        choices=('station', 'research'),
        help='what the nodes cost, or what an agent costs: robot time, proxy, sandbox',
    )
    parser.add_argument('--domain', type=int, metavar='N', help='ROS domain; default: a free one')
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure, print and save; return 0 when everything could be measured, else 1."""
    stamp = time.strftime('%Y%m%d-%H%M%S')
    directory = (args.output or Path('runs') / f'bench-{stamp}').absolute()
    code = 0 if args.only == 'research' else _station(args, directory, stamp)
    if code == 2 or args.only == 'station':
        return code
    return max(code, _research(args, directory))


def _research(args: argparse.Namespace, directory: Path) -> int:
    from enpire_nodes.benchmark import proxy_cost, robot_share, sandbox_cost
    from enpire_nodes.cli.session import own_domain

    screen, found, code = console(), {}, 0
    short = {'thinking': (5.0,), 'trials': 1} if args.quick else {}
    pairs, steps = (50, 300) if args.quick else (500, 3000)
    with own_domain(args.domain), screen.status('') as status:
        for name, measure in (
            ('robot', lambda: robot_share.measure(
                directory / 'research', tell=lambda line: status.update(escape(line)), **short
            )),
            ('proxy', lambda: proxy_cost.measure(pairs)),
            ('sandbox', lambda: sandbox_cost.measure(steps)),
        ):  # fmt: skip
            status.update(f'measuring: {name}')
            try:
                found[name] = measure()
            except Exception as error:  # noqa: BLE001 - the others are measured all the same
                code = 1
                screen.print(
                    f'{name}: not measured: {type(error).__name__}: {error}', markup=False
                )
                continue
            screen.print(str(found[name]), markup=False, highlight=False, soft_wrap=True)
    directory.mkdir(parents=True, exist_ok=True)
    write_json(directory / 'research.json', {name: asdict(what) for name, what in found.items()})
    return code


def _station(args: argparse.Namespace, directory: Path, stamp: str) -> int:
    from enpire_nodes.benchmark.evaluation import evaluate
    from enpire_nodes.benchmark.load import busy_already, machine
    from enpire_nodes.benchmark.plot import draw
    from enpire_nodes.benchmark.report import print_report, write_report
    from enpire_nodes.benchmark.session import Plan, Session
    from enpire_nodes.cli.session import own_domain

    screen = console()
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
