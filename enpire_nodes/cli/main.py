"""The command ``enpire``: one module of this package for each subcommand."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from importlib import import_module
import sys
from typing import Any

from enpire_nodes.common.errors import StationError

#: Subcommands, in the order in which a newcomer meets them; each is a module of this package.
COMMANDS = (
    'demo',
    'environment',
    'freeze',
    'up',
    'run',
    'research',
    'report',
    'verify-run',
    'teleop',
    'hub',
    'workspace',
    'train',
    'trial',
    'trials',
    'dataset',
    'audit',
    'recover',
    'bench',
    'soak',
)
_INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run a subcommand; return the exit code (0 done, 1 refused or failed, 2 wrong usage)."""
    argv = sys.argv[1:] if argv is None else list(argv)
    args = make_parser(argv).parse_args(argv)
    try:
        return args.run(args)
    except StationError as error:
        sys.stderr.write(f'enpire {args.command}: {error.message} [{error.code.name}]\n')
        return 1
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:  # as in `enpire trials | head`
        sys.stderr.close()
        return 1


def make_parser(argv: Sequence[str] = ()) -> argparse.ArgumentParser:
    """Return the parser; it knows all subcommands unless ``argv`` begins with one."""
    parser = argparse.ArgumentParser(
        prog='enpire', description='Robot experiments that reset, judge and record themselves.'
    )
    subparsers = parser.add_subparsers(dest='command', metavar='COMMAND', required=True)
    for name in argv[:1] if argv and argv[0] in COMMANDS else COMMANDS:
        _add(subparsers, name)
    return parser


def _add(subparsers: Any, name: str) -> None:
    try:
        import_module(f'{__package__}.{name.replace("-", "_")}').add_parser(subparsers)
    except ImportError as error:
        words = f'not available here: {error}'

        def explain(args: argparse.Namespace) -> int:
            sys.stderr.write(
                f'enpire {name} is {words}. ROS 2 and enpire_msgs must be on the path: '
                '`make setup`, then `. scripts/env.sh`\n'
            )
            return 1

        parser = subparsers.add_parser(name, help=words)
        parser.set_defaults(run=explain)


if __name__ == '__main__':
    raise SystemExit(main())
