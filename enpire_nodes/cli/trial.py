"""``enpire trial``: have the station run trials of the policy of the workspace that one is in."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

HELP = "run trials of a workspace's policy on its station"


def add_parser(subparsers: Any) -> None:
    """Add the command to the ``enpire`` parser."""
    parser = subparsers.add_parser('trial', help=HELP, description=__doc__)
    parser.add_argument(
        '-n', '--trials', type=int, help='how many (default: as many as seeds, else 10)'
    )
    parser.add_argument(
        '--attempts', type=int, default=8, help='most attempts of a trial, 1 to 8 (default: 8)'
    )
    parser.add_argument(
        '--explore', action='store_true',
        help='let the policy explore: experience for the learner, and not a grade',
    )  # fmt: skip
    parser.add_argument('--seeds', type=int, nargs='+', default=[], help='one per trial')
    parser.add_argument(
        '--seeds-of', default='', metavar='REQUEST', help='the same as of an earlier request'
    )
    parser.add_argument(
        '--confirm', action='store_true',
        help='declare the trials as a confirmation block before the first one',
    )  # fmt: skip
    parser.add_argument(
        '--weights', type=Path, metavar='FILE',
        help='default: those that were published last; the contact search needs none',
    )  # fmt: skip
    parser.add_argument('--request', default='', help='identifier; the same one goes on')
    parser.add_argument('--requester', default='operator', help='who asks')
    parser.add_argument(
        '--wait', type=float, default=60.0, metavar='S', help='for the station to take the request'
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Ask for the trials, show them, and return the exit code of ``enpire run``."""
    from enpire_nodes.cli import run as trials
    from enpire_nodes.improvement.selection import learned_settings
    from enpire_nodes.improvement.workspace import Workspace

    workspace = Workspace.find(Path.cwd())
    values = learned_settings(workspace, weights=args.weights, explore=args.explore)
    seeds = args.seeds or _seeds_of(workspace, args.seeds_of)
    return trials.run(
        argparse.Namespace(
            command='trial',
            trials=_count(args, seeds),
            attempts=args.attempts,
            controller='learned',
            # in quotes: a path may look like anything else
            settings=[
                f'{name}={json.dumps(value, ensure_ascii=False)}' for name, value in values.items()
            ],
            seeds=seeds,
            station=workspace.station,
            request=args.request,
            requester=args.requester,
            idea=workspace.subject(),
            commit=workspace.commit(),
            confirm=args.confirm,
            wait=args.wait,
        )
    )


def _count(args: argparse.Namespace, seeds: list[int]) -> int:
    if args.seeds_of or args.trials is None:
        return len(seeds) or 10
    return args.trials


def _seeds_of(workspace: Any, request_id: str) -> list[int]:
    from enpire_nodes.common.errors import ErrorCode, StationError
    from enpire_nodes.rollout.ledger import LedgerReader

    if not request_id:
        return []
    for directory in workspace.runs():
        if (directory / 'ledger.sqlite').is_file():
            with LedgerReader(directory) as ledger:
                request = ledger.request(request_id)
            if request is not None:
                return list(request.seeds)
    raise StationError(
        ErrorCode.RUNNER_BAD_REQUEST,
        f'no ledger of this workspace has the request {request_id!r}; '
        '`enpire trials list` shows them',
    )
