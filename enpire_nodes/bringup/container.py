"""Run one or several nodes of a station in this process: the executable ``station_container``.

``station_container scene_reset reward_classifier --ros-args -r __ns:=/station_1`` runs both on one
executor. The process runner starts every node through this module, because it adds what a node
started by hand does not need: parameters that nobody declares are refused, and the process does
not outlive the one that started it.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
import ctypes
from importlib import import_module
import os
import signal
import sys
import threading
import time
import traceback
from typing import Any

from enpire_nodes.bringup.strict import suggest
from enpire_nodes.bringup.table import NODES

#: Exit code of a node that cannot start as it is; starting it again would not help.
MISCONFIGURED = 2

_PR_SET_PDEATHSIG = 1
_GRACE = 8.0  # s between the end of the parent and ours, whatever we are doing
_WATCH = 0.5  # s


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the nodes named on the command line; return the exit code."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    split = arguments.index('--ros-args') if '--ros-args' in arguments else len(arguments)
    options = _parser().parse_args(arguments[:split])
    if options.parent:
        end_with_parent(options.parent)
    try:
        from enpire_nodes.ros.main import run

        try:
            factories = [_strict(name, options.check) for name in options.nodes]
        except (ImportError, AttributeError) as error:
            traceback.print_exc()
            sys.stderr.write(f'cannot start: {error}\n')
            return MISCONFIGURED
        return run(*factories, args=[sys.argv[0], *arguments[split:]])
    except KeyboardInterrupt:
        return 130


def end_with_parent(parent: int, *, grace: float = _GRACE) -> None:
    """Get SIGTERM when the process ``parent`` ends, and SIGKILL when that was not enough.

    The kernel sends the first; a thread watches too, because the parent may have ended before.
    """
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_WATCH)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(grace)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True, name='parent watch').start()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog='station_container', description=__doc__)
    parser.add_argument('nodes', nargs='+', choices=list(NODES), help='what to run')
    parser.add_argument(
        '--check', action='append', default=[], metavar='NODE:PARAMETER',
        help='refuse to start when the node does not have the parameter',
    )  # fmt: skip
    parser.add_argument('--parent', type=int, default=0, help='end when this process ends')
    return parser


def _strict(name: str, checks: Sequence[str]) -> Callable[[], Any]:
    """Return a factory that refuses parameters which the node does not declare."""
    module, attribute = NODES[name].location.split(':')
    factory = getattr(import_module(module), attribute)
    wanted = [entry.split(':', 1)[1] for entry in checks if entry.split(':', 1)[0] == name]

    def make() -> Any:
        from rclpy.exceptions import ParameterException

        try:
            node = factory()
        except ParameterException as error:
            raise ValueError(f'{name}: {error}') from error
        declared = {entry.removesuffix('.') for entry in node._parameters}
        for parameter in wanted:
            if parameter not in declared:
                raise ValueError(
                    f'{name} has no parameter {parameter!r}; {suggest(parameter, declared)}'
                )
        return node

    return make


if __name__ == '__main__':
    sys.exit(main())
