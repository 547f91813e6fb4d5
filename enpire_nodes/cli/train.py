"""``enpire train``: run the training code of the workspace that one is in."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
import sys
from typing import Any

HELP = "train a workspace's policy, while the robot works if you like"


def add_parser(subparsers: Any) -> None:
    """Add the command to the ``enpire`` parser."""
    from enpire_nodes.improvement.arguments import add_training_arguments

    parser = subparsers.add_parser('train', help=HELP, description=__doc__)
    add_training_arguments(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Become ``python train.py``: the code is the workspace's own, and signals reach it."""
    from enpire_nodes.improvement.workspace import Workspace

    workspace = Workspace.find(Path.cwd())
    given = [part for directory in args.runs for part in ('--run', str(directory.absolute()))]
    given += ['--follow'] * args.follow + ['--fresh'] * args.fresh
    os.chdir(workspace.path)
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, 'train.py', *given])
