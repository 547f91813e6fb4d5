"""Send at one instant of every control period, however long the work before it took."""

from __future__ import annotations

from collections.abc import Callable

from builtin_interfaces.msg import Time

from enpire_nodes.common.types import Command
from enpire_nodes.ros.node import StationNode


class EvenSender:
    """Keeps each command until its control period is ``after`` s old.

    What a policy takes to answer differs from period to period, and an arm that follows targets
    with uneven gaps between them shakes. A command that is late goes out at once.

    :param send: sends a command with the stamp of its observation.
    :param age: returns how long ago the control period has begun, s.
    :param after: s of the wall clock; 0 sends at once.
    """

    def __init__(
        self,
        node: StationNode,
        send: Callable[[Command, Time], None],
        *,
        age: Callable[[], float],
        after: float,
    ) -> None:
        self._node, self._send, self._age, self._after = node, send, age, after
        self._kept: tuple[Command, Time] | None = None
        self._timer = node.create_steady_timer(1.0, self._fire)
        self._timer.cancel()

    def send(self, command: Command, stamp: Time) -> None:
        """Send a command when its time has come; it replaces one that still waits."""
        wait = self._after - self._age() if self._after > 0.0 else 0.0
        self.drop()
        if wait <= 0.0:
            self._send(command, stamp)
            return
        self._kept = (command, stamp)
        self._timer.timer_period_ns = round(wait * 1e9)
        self._timer.reset()

    def drop(self) -> None:
        """Forget a command that waits."""
        self._kept = None
        self._timer.cancel()

    def destroy(self) -> None:
        """Forget everything."""
        self._kept = None
        self._node.destroy_timer(self._timer)

    def _fire(self) -> None:
        kept = self._kept
        self.drop()
        if kept is not None:
            self._send(*kept)
