"""Start nodes, spin them, and stop them in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
import sys

import rclpy
from rclpy.executors import Executor, ExternalShutdownException, SingleThreadedExecutor
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.node import Node

RCLError = rclpy_implementation.RCLError


def make_executor() -> Executor:
    """Return rclpy's event-driven executor, or the classic one where it does not exist."""
    try:
        from rclpy.experimental.events_executor import EventsExecutor
    except ImportError:
        return SingleThreadedExecutor()
    return EventsExecutor()


def spin(executor: Executor) -> None:
    """Spin until the context shuts down.

    ``EventsExecutor.spin()`` of rclpy 7.1.6 runs hot and ignores signals; with a time-out it
    sleeps as it should.
    """
    try:
        while rclpy.ok():
            executor.spin_once(timeout_sec=0.5)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except RCLError:
        # a signal shuts the context down in the middle of a callback that publishes
        if rclpy.ok():
            raise


def run(*factories: Callable[[], Node], args: Sequence[str] | None = None) -> int:
    """Make the nodes, spin them on one executor, and return the exit code.

    :param factories: node classes; several share one process and one executor.
    :param args: command line; the process's own when omitted.
    """
    rclpy.init(args=list(args) if args is not None else None)
    nodes: list[Node] = []
    try:
        nodes.extend(factory() for factory in factories)
        executor = make_executor()
        for node in nodes:
            executor.add_node(node)
        spin(executor)
    except ValueError as error:
        sys.stderr.write(f'cannot start: {error}\n')
        return 2
    finally:
        for node in nodes:
            close = getattr(node, 'close', None)
            if close is not None:
                close()
        if rclpy.ok():
            rclpy.shutdown()
    return 0
