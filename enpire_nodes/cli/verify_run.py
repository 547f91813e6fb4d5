"""``enpire verify-run``: whether anything behind a report was touched since it was signed."""

from __future__ import annotations

import argparse

from enpire_nodes.cli.report import add_run
from enpire_nodes.cli.runs import find_run, reported


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add ``verify-run``."""
    parser = subparsers.add_parser(
        'verify-run', help='recompute a report, and name what was touched since'
    )
    add_run(parser)
    parser.set_defaults(run=reported(_verify))


def _verify(arguments: argparse.Namespace) -> int:
    from enpire_nodes.evolution.report.verify import verify_run

    run = find_run(arguments)
    problems = verify_run(run)
    for problem in problems:
        print(f'{problem.where}: {problem.words}')
    if not problems:
        print(f'{run}: chains, files, signatures and every figure of the report agree')
    return 1 if problems else 0
