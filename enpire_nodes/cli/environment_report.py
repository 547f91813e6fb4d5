"""``enpire environment report``: print an acceptance report that was measured before."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
import sys
from typing import Any

from enpire_nodes.cli.environment_work import add_task
from enpire_nodes.cli.runs import console
from enpire_nodes.environment.acceptance.report import read
from enpire_nodes.environment.acceptance.table import tables
from enpire_nodes.rollout.human_time import cost_of

HELP = 'print the acceptance report'


def add_parser(subparsers: Any) -> None:
    """Add the action to the ``enpire environment`` parser."""
    parser = subparsers.add_parser('report', help=HELP, description=__doc__)
    add_task(parser)
    parser.add_argument(
        '--output', type=Path, metavar='DIR',
        help='folder in which `measure` wrote it (default: environment/TASK)',
    )  # fmt: skip
    parser.add_argument('--json', action='store_true', help='print it as JSON')
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print; return 0 when everything that is required is met, else 1."""
    folder = args.output or Path('environment') / args.task
    report = read(folder / 'acceptance.json')
    if args.json:
        json.dump(report, sys.stdout, indent=1)
        sys.stdout.write('\n')
    else:
        console().print(tables(report))
        cost = cost_of(folder / 'run') or 'human minutes 0: nobody was timed in phase one'
        console().print(cost, markup=False)
    return 0 if report['passed'] else 1
