"""``enpire workspace``: the folder in which a person or an agent improves a policy."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

HELP = 'make a research workspace: policy and training code to improve'


def add_parser(subparsers: Any) -> None:
    """Add the command to the ``enpire`` parser."""
    parser = subparsers.add_parser('workspace', help=HELP, description=__doc__)
    actions = parser.add_subparsers(dest='action', metavar='ACTION', required=True)
    new = actions.add_parser('new', help='make one: a Git repository from the template')
    new.add_argument('directory', type=Path, metavar='DIR', help='must be new or empty')
    new.add_argument('--task', default='pin_insertion', help='default: pin_insertion')
    new.add_argument(
        '--station', default='/station_1', help='that runs its trials (default: /station_1)'
    )
    new.add_argument(
        '--run', action='append', type=Path, default=[], metavar='DIR', dest='runs',
        help='run directory to learn from; may be repeated (default: runs/<station>)',
    )  # fmt: skip
    new.add_argument(
        '--station-file', default='stations/simulated.yaml', metavar='FILE',
        help='with its cameras (default: stations/simulated.yaml)',
    )  # fmt: skip
    new.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Make the workspace, and say how to go on."""
    from enpire_nodes.cli.runs import console
    from enpire_nodes.common.errors import ErrorCode, StationError
    from enpire_nodes.improvement.workspace import Workspace
    from enpire_nodes.tasks.registry import load_task

    try:
        load_task(args.task)
    except KeyError as error:  # it names the known ones
        raise StationError(
            ErrorCode.IMPROVEMENT_WORKSPACE_UNUSABLE, f'{error.args[0]}; see --task'
        ) from error
    runs = args.runs or [Path('runs') / args.station.strip('/')]
    workspace = Workspace.create(
        args.directory, task=args.task, runs=[path.absolute() for path in runs],
        station=args.station, station_file=args.station_file,
    )  # fmt: skip
    console().print(
        f'{workspace.path} is a Git repository now; it learns from {runs[0].absolute()}\n'
        'next: read PROGRAM.md, and in that folder\n'
        '  enpire run --controller demonstrator --attempts 1 -n 30   # or `enpire teleop`\n'
        '  enpire train\n'
        '  enpire trial -n 20',
        soft_wrap=True,
    )
    return 0
