"""Start nodes, spin them, and stop them in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
import signal
import sys
from types import FrameType

import rclpy
from rclpy.executors import Executor, ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

#: s within which a signal is noticed.
SPIN_PERIOD = 0.2


def make_executor() -> Executor:
    """Return rclpy's event-driven executor, or the classic one where it does not exist."""
    try:
        from rclpy.experimental.events_executor import EventsExecutor
    except ImportError:
        return SingleThreadedExecutor()
    return EventsExecutor()


class StopSignals:
    """Remembers that SIGINT or SIGTERM came, so that the callback under way can end in peace.

    rclpy's own handler shuts the context down in the middle of whatever is being published.
    """

    def __init__(self) -> None:
        self.received = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._receive)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        self.received = True


def spin(executor: Executor, stop: StopSignals | None = None) -> None:
    """Spin until a signal comes or the context shuts down.

    ``EventsExecutor.spin()`` of rclpy 7.1.6 runs hot and ignores signals; with a time-out it
    sleeps as it should.
    """
    try:
        while rclpy.ok() and not (stop is not None and stop.received):
            executor.spin_once(timeout_sec=SPIN_PERIOD)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass


def run(*factories: Callable[[], Node], args: Sequence[str] | None = None) -> int:
    """Make the nodes, spin them on one executor, and return the exit code.

    :param factories: node classes; several share one process and one executor.
    :param args: command line; the process's own when omitted.
    """
    rclpy.init(
        args=list(args) if args is not None else None,
        signal_handler_options=SignalHandlerOptions.NO,
    )
    stop = StopSignals()
    nodes: list[Node] = []
    try:
        nodes.extend(factory() for factory in factories)
        executor = make_executor()
        for node in nodes:
            executor.add_node(node)
        spin(executor, stop)
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
