"""What the nodes of a station tell of themselves: their parameters, and the gate's limits."""

from __future__ import annotations

from collections.abc import Iterable
import time
from typing import Any

from rcl_interfaces.srv import GetParameters
from rclpy.parameter import parameter_value_to_python

from enpire_nodes.rollout.calls import Service
from enpire_nodes.rollout.station_client import GATE, StationClient

#: s for a node that beats to say what its parameters are; and for it to be configured.
_DEADLINE = 10.0
#: s between two questions to a node that is not configured yet.
_PAUSE = 0.1
#: What a node of the environment tells last, when it has been configured.
_LAST = 'code_digest'


class NodeWitnesses:
    """Asks nodes; see :class:`~enpire_nodes.rollout.frozen.Witnesses`.

    Made in the thread that spins the client's node, used in another one.

    :param nodes: relative names of those that may be asked.
    """

    def __init__(self, client: StationClient, nodes: Iterable[str]) -> None:
        self._client = client
        self._services = {
            name: Service(client.link, GetParameters, f'{name}/get_parameters', server=name)
            for name in nodes
        }

    @property
    def limits_digest(self) -> str:
        """What the safety gate says of its limits; empty before it has spoken."""
        return self._client.safety.limits_digest

    def tell(self, node: str, names: tuple[str, ...]) -> dict[str, Any]:
        """Return the values of a node's parameters; nothing when it lacks one of them.

        A node that was just started again is waited for until it has looked at itself.
        """
        deadline = time.monotonic() + _DEADLINE
        if node == GATE:
            self._client.waiting.until(
                lambda: self.limits_digest, deadline=deadline, what=f'the safety_state of {node}'
            )
        told = self._ask(node, names)
        while told.get(_LAST) == '' and time.monotonic() < deadline:
            self._client.waiting.pause(_PAUSE)
            told = self._ask(node, names)
        return told

    def _ask(self, node: str, names: tuple[str, ...]) -> dict[str, Any]:
        request = GetParameters.Request(names=list(names))
        answer = self._services[node].call(request, deadline=time.monotonic() + _DEADLINE)
        values = [_plain(parameter_value_to_python(value)) for value in answer.values]
        # rclpy leaves out what is not declared, without saying which it was
        return dict(zip(names, values)) if len(values) == len(names) else {}

    def destroy(self) -> None:
        """Leave the graph; only in the spinning thread."""
        for service in self._services.values():
            service.destroy()


def _plain(value: Any) -> Any:
    """Return lists of numbers, which come as arrays, as lists."""
    return value.tolist() if hasattr(value, 'tolist') else value
