"""``enpire hub``: the Git repository through which stations share ideas and results."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

HELP = 'make or look at a hub: the Git repository that stations share'


def add_parser(subparsers: Any) -> None:
    """Add the command to the ``enpire`` parser."""
    parser = subparsers.add_parser('hub', help=HELP, description=__doc__)
    actions = parser.add_subparsers(dest='action', metavar='ACTION', required=True)
    init = actions.add_parser('init', help='make one: a bare repository, its rules, and main')
    init.add_argument('path', type=Path, metavar='PATH', help='must be new or empty')
    init.add_argument('--task', default='pin_insertion', help='default: pin_insertion')
    init.add_argument(
        '--from', type=Path, metavar='FOLDER', dest='folder',
        help='with the files of main (default: those of a new workspace)',
    )  # fmt: skip
    init.set_defaults(run=initialize)
    status = actions.add_parser('status', help='main, branches, claims, results, problems')
    status.add_argument('path', type=Path, metavar='PATH')
    status.set_defaults(run=show)


def initialize(args: argparse.Namespace) -> int:
    """Make the hub, and say how to go on."""
    import tempfile

    from enpire_nodes.cli.runs import console
    from enpire_nodes.common.errors import ErrorCode, StationError
    from enpire_nodes.evolution.hub.repository import Hub
    from enpire_nodes.evolution.hub.seed import seed_files
    from enpire_nodes.tasks.registry import load_task

    try:
        load_task(args.task)
    except KeyError as error:  # it names the known ones
        raise StationError(ErrorCode.HUB_UNUSABLE, f'{error.args[0]}; see --task') from error
    with tempfile.TemporaryDirectory() as made:
        seed = args.folder
        if seed is None:
            seed = Path(made)
            seed_files(seed, args.task)
        hub = Hub.create(args.path, seed=seed)
    console().print(
        f'{hub.path} is a hub now; main is {hub.main[:10]}, {hub.subject("main")}\n'
        f'next: name it to the stations that share it, and see `enpire hub status {args.path}`',
        soft_wrap=True, markup=False, highlight=False,
    )  # fmt: skip
    return 0


def show(args: argparse.Namespace) -> int:
    """Print what is in a hub; return 1 when something in it cannot be believed."""
    from enpire_nodes.cli.runs import console
    from enpire_nodes.evolution.hub.repository import Hub

    hub = Hub(args.path)
    ideas, results, promotions = hub.ideas(), hub.results(), hub.promotions()
    lines = [f'main        {hub.main[:10]}  {hub.subject("main")}']
    for name, commit in sorted(hub.branches().items()):
        count = sum(idea.station == name.split('/')[0] for idea in ideas)
        lines.append(f'{name:<10}  {commit[:10]}  {hub.subject(commit)}  (ideas: {count})')
    lines += [f'claimed     {claim.key}  by {claim.station}' for claim in hub.claims()]
    lines.append(f'ideas       {len(ideas)}')
    lines.append(f'results     {sum(result.verified for result in results)} verified')
    lines.append(f'promotions  {sum(line.verified for line in promotions)} verified')
    problems = [
        f'problem: {line.get("station", "somebody")}, commit '
        f'{str(line.get("commit") or _promoted(line))[:10]}: {line.problem}'
        for line in [*results, *promotions]
        if not line.verified
    ]
    for line in [*lines, *problems]:
        console().print(line, soft_wrap=True, markup=False, highlight=False)
    return 1 if problems else 0


def _promoted(line: dict[str, Any]) -> str:
    record = line.get('promotion')
    return str(record.get('commit', '')) if isinstance(record, dict) else ''
