"""``enpire report``: one page about a campaign, and its figures, signed."""

from __future__ import annotations

import argparse
from pathlib import Path

from enpire_nodes.cli.runs import find_run, reported


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add ``report``."""
    parser = subparsers.add_parser(
        'report', help='write report.html, report.json and the idea tree of a campaign'
    )
    add_run(parser)
    parser.set_defaults(run=reported(_report))


def add_run(parser: argparse.ArgumentParser) -> None:
    """Let a command be told the run as its one word."""
    parser.add_argument(
        'run_directory',
        nargs='?',
        type=Path,
        metavar='RUN',
        help='run directory (default: $ENPIRE_RUN, else the newest below ./runs)',
    )


def _report(arguments: argparse.Namespace) -> int:
    from enpire_nodes.evolution.report.report import write_report

    print(write_report(find_run(arguments)))
    return 0
