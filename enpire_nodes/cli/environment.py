"""``enpire environment``: make and measure what a campaign will be judged by."""

from __future__ import annotations

import argparse
from importlib import import_module
import sys
from typing import Any

HELP = 'measure and report the judge and the reset of a task'
#: Each is a module ``environment_<name>`` of this package.
ACTIONS = ('guide', 'record', 'fit', 'measure', 'report')


def add_parser(subparsers: Any) -> None:
    """Add the command to the ``enpire`` parser."""
    parser = subparsers.add_parser('environment', help=HELP, description=__doc__)
    actions = parser.add_subparsers(dest='action', metavar='ACTION', required=True)
    for name in ACTIONS:
        _add(actions, name)


def _add(actions: Any, name: str) -> None:
    try:
        import_module(f'{__package__}.environment_{name}').add_parser(actions)
    except ImportError as error:
        words = f'not available here: {error}'

        def explain(args: argparse.Namespace) -> int:
            sys.stderr.write(f'enpire environment {name} is {words}\n')
            return 1

        actions.add_parser(name, help=words).set_defaults(run=explain)
