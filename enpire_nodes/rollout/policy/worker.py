"""The policy's process: ``python -m enpire_nodes.rollout.policy.worker FD PARENT_PID``.

Started by :class:`~enpire_nodes.rollout.policy.client.PolicyWorker` with one end of a socket pair
as descriptor ``FD``; ``PARENT_PID`` is 0 in a sandbox, which ends with the parent by itself. It
cuts itself off from the network before it imports anything that starts threads, makes the
controller that it is told to, and answers. It holds no ROS.
"""

from __future__ import annotations

import os
import resource
import socket
import sys
import traceback
from typing import Any

from enpire_nodes.rollout.policy.isolation import die_with, isolate

_LOG_LIMIT = 64 * 1024 * 1024
_TRACEBACK_LIMIT = 6000


def main() -> None:
    """Serve one executor until it closes the channel."""
    descriptor, parent = int(sys.argv[1]), int(sys.argv[2])
    if parent:
        die_with(parent)
    walls = isolate()
    os.set_inheritable(descriptor, False)
    _limit_resources()
    serve(socket.socket(fileno=descriptor), walls)


def serve(endpoint: socket.socket, walls: tuple[str, ...]) -> None:
    """Answer ``make``, then any number of ``reset`` and ``step``, until the channel ends."""
    # imported late: numpy starts threads, and a process with threads cannot be isolated
    from enpire_nodes.rollout.policy import protocol, wire

    channel = protocol.Channel(endpoint, largest=wire.LARGEST_OBSERVATION)
    server = _Server(walls)
    while True:
        try:
            message = channel.receive(timeout=None)
        except protocol.ChannelClosedError:
            return
        try:
            answer = server.answer(message)
        except Exception as error:  # noqa: BLE001 - whatever a policy raises is reported, with its text
            answer = wire.failure_message(
                message.fields.get('sequence', 0),
                f'{type(error).__name__}: {error}'[:500],
                traceback.format_exc()[-_TRACEBACK_LIMIT:],
            )
        channel.send(answer, timeout=None)


class _Server:
    """Turns one message into its answer."""

    def __init__(self, walls: tuple[str, ...]) -> None:
        self._walls = walls
        self._controller: Any = None

    def answer(self, message: Any) -> Any:
        from enpire_nodes.rollout.controllers import registry
        from enpire_nodes.rollout.policy import wire

        sequence = message.fields['sequence']
        if message.kind == 'make':
            self._controller = registry.make(message.fields['name'], message.fields['settings'])
            return wire.ready_message(sequence, self._walls)
        if message.kind == 'reset':
            self._controller.reset(wire.context_of(message))
            return wire.ready_message(sequence, self._walls)
        action = self._controller.step(dict(message.arrays))
        return wire.action_message(sequence, action)


def _limit_resources() -> None:
    """Let a policy that floods its log or the memory end alone, before it hurts the station."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_LOG_LIMIT, _LOG_LIMIT))
    try:
        with open('/proc/self/oom_score_adj', 'w', encoding='ascii') as file:
            file.write('1000')
    except OSError:
        pass  # no Linux /proc: the kernel chooses by itself


if __name__ == '__main__':
    main()
