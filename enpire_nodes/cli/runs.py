"""Which run a command is about, and how its errors are told."""

from __future__ import annotations

import argparse
from collections.abc import Callable
import os
from pathlib import Path
import sys

from rich.console import Console

from enpire_nodes.common.errors import ErrorCode, StationError

#: Columns of tables that do not go to a terminal.
WIDTH = 100


def add_run_argument(parser: argparse.ArgumentParser) -> None:
    """Let a command be told the run directory."""
    parser.add_argument(
        '--run',
        dest='run_directory',  # `run` is what main() calls
        type=Path,
        metavar='DIR',
        help='run directory (default: $ENPIRE_RUN, else that of the workspace, else the newest '
        'below ./runs)',
    )


def find_run(arguments: argparse.Namespace) -> Path:
    """Return the run directory that a command is about.

    :raises StationError: RUNNER_LEDGER_FAILED, there is none, or no ledger in it.
    """
    named = arguments.run_directory
    if named is None and os.environ.get('ENPIRE_RUN'):
        named = Path(os.environ['ENPIRE_RUN'])
    if named is not None:
        if (named / 'ledger.sqlite').is_file():
            return named
        reason = 'it does not exist' if not named.is_dir() else 'there is no ledger in it'
        raise StationError(
            ErrorCode.RUNNER_LEDGER_FAILED,
            f'{named} is not a run: {reason}; name the directory that holds ledger.sqlite',
        )
    workspace = _workspace_run()
    if workspace is not None:
        return workspace
    found = [*Path('.').glob('ledger.sqlite'), *Path('runs').glob('**/ledger.sqlite')]
    if not found:
        raise StationError(
            ErrorCode.RUNNER_LEDGER_FAILED,
            'no run was found here: make one with `enpire up`, or name one by --run',
        )
    return max(found, key=_last_change).parent


def _workspace_run() -> Path | None:
    """Return the run that the research workspace we are in learns from."""
    try:
        from enpire_nodes.improvement.workspace import Workspace

        runs = Workspace.find(Path.cwd()).runs()
    except StationError:
        return None
    return next((run for run in runs if (run / 'ledger.sqlite').is_file()), None)


def console() -> Console:
    """Return where a command prints: as wide as the terminal, or 100 columns."""
    return Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False)


def reported(
    command: Callable[[argparse.Namespace], int],
) -> Callable[[argparse.Namespace], int]:
    """Return a command that tells station errors in one line, and then exits with 1."""

    def run(arguments: argparse.Namespace) -> int:
        try:
            return command(arguments)
        except StationError as error:
            print(f'enpire: {error.message} ({error.code.name})', file=sys.stderr)
            return 1
        except BrokenPipeError:
            # The reader had enough, as `| head` does; Python must not complain on exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0

    return run


def _last_change(ledger: Path) -> float:
    write_ahead = ledger.with_name(ledger.name + '-wal')
    return max(path.stat().st_mtime for path in (ledger, write_ahead) if path.exists())
