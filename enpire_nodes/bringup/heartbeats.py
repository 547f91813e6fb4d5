"""Hear which nodes of a station are alive, and say so at once when one has died."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
import time

import rclpy
from rclpy.context import Context

from enpire_msgs.msg import Heartbeat
from enpire_nodes.ros import qos

#: s after which a node that fell silent counts as lost.
SILENCE = 2.0

#: How often a death is announced: heartbeats are not repeated when one is lost.
_TIMES = 3

_NAMES = {
    Heartbeat.INACTIVE: 'inactive',
    Heartbeat.ACTIVE: 'active',
    Heartbeat.BUSY: 'busy',
    Heartbeat.FAULTED: 'faulted',
}


@dataclass(frozen=True, slots=True)
class Sign:
    """A node's newest heartbeat.

    :param arrival: s, monotonic.
    """

    arrival: float
    state: int
    message: str
    incarnation: int

    @property
    def ready(self) -> bool:
        """Whether the node can take goals, or is at work on one."""
        fresh = time.monotonic() - self.arrival < SILENCE
        return fresh and self.state in (Heartbeat.ACTIVE, Heartbeat.BUSY)

    def describe(self) -> str:
        """Say what the node said, and when."""
        age = time.monotonic() - self.arrival
        if age > SILENCE:
            return f'no heartbeat for {age:.1f} s'
        return _NAMES.get(self.state, 'unset') + (f': {self.message}' if self.message else '')


def obituary(name: str, reason: str, *, incarnation: int = 0) -> Heartbeat:
    """Return what is said in the name of a node whose process has ended.

    :param name: full name of the node.
    :param reason: how it ended, as :func:`~enpire_nodes.bringup.process.describe_exit` says it.
    """
    return Heartbeat(
        node=name,
        incarnation=incarnation,
        state=Heartbeat.FAULTED,
        message=f'its process was {reason}' if 'killed' in reason else f'its process {reason}',
    )


class HeartbeatListener:
    """Listens to ``heartbeats`` of one station, in a ROS context of its own.

    Messages are taken when asked, so no executor and no thread runs; call :meth:`poll` at least
    every second.

    :param namespace: of the station.
    """

    def __init__(self, namespace: str) -> None:
        self.signs: dict[str, Sign] = {}
        self._context = Context()
        rclpy.init(context=self._context, args=[])
        self._node = rclpy.create_node(
            'bringup',
            namespace=namespace,
            context=self._context,
            use_global_arguments=False,
            enable_rosout=False,
            start_parameter_services=False,
        )
        self._subscription = self._node.create_subscription(
            Heartbeat, 'heartbeats', lambda message: None, qos.HEARTBEATS
        )

        self._publisher = self._node.create_publisher(Heartbeat, 'heartbeats', qos.HEARTBEATS)

    def poll(self) -> None:
        """Take what has arrived."""
        now = time.monotonic()
        with self._subscription.handle:
            while True:
                taken = self._subscription.handle.take_message(Heartbeat, False)
                if taken is None:
                    return
                message = taken[0]
                self.signs[message.node] = Sign(
                    now, message.state, message.message, message.incarnation
                )

    def announce_death(self, name: str, reason: str) -> None:
        """Say in the name of a dead node that it cannot work, so that nobody waits to miss it.

        :param name: full name of the node.
        :param reason: how its process ended.
        """
        known = self.signs.pop(name, None)
        message = obituary(name, reason, incarnation=known.incarnation if known else 0)
        message.header.stamp = self._node.get_clock().now().to_msg()
        for _ in range(_TIMES):
            self._publisher.publish(message)

    def missing(self, names: Iterable[str]) -> dict[str, str]:
        """Return which of these nodes (full names) are not ready, and what is known of them."""
        result = {}
        for name in names:
            sign = self.signs.get(name)
            if sign is None or not sign.ready:
                result[name] = sign.describe() if sign else 'no heartbeat yet'
        return result

    def close(self) -> None:
        """Leave the graph."""
        self._node.destroy_node()
        rclpy.try_shutdown(context=self._context)
