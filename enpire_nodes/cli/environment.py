"""``enpire environment``: make and measure what a campaign will be judged by."""

from __future__ import annotations

from typing import Any

from enpire_nodes.cli import (
    environment_drill,
    environment_fit,
    environment_guide,
    environment_measure,
    environment_record,
    environment_report,
)

HELP = 'measure and report the judge and the reset of a task'
#: In the order of phase one.
ACTIONS = (
    environment_guide,
    environment_record,
    environment_fit,
    environment_measure,
    environment_report,
    environment_drill,
)


def add_parser(subparsers: Any) -> None:
    """Add the command to the ``enpire`` parser, which says so if something it needs is missing."""
    parser = subparsers.add_parser('environment', help=HELP, description=__doc__)
    actions = parser.add_subparsers(dest='action', metavar='ACTION', required=True)
    for action in ACTIONS:
        action.add_parser(actions)
