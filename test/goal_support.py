"""Goals that tests send as the station's own clients do."""

from __future__ import annotations

from collections.abc import Callable
import contextlib
from functools import partial
from typing import Any
import uuid

from rclpy.action import ActionClient
from rclpy.action.client import ClientGoalHandle
from rclpy.task import Future
from ros_support import RosHarness
from unique_identifier_msgs.msg import UUID

_RESEND = 4.0  # s
_OFFERS = 4


def offer(
    ros: RosHarness,
    kind: type,
    name: str,
    goal: Any,
    feedback: Callable[[Any], None] | None = None,
    patience: float = 10.0,
) -> ClientGoalHandle:
    """Send a goal, again by a new client when nobody answers; return its handle.

    A server that was just made may be found before it can answer, and its answer is lost then.

    :param feedback: gets every feedback, without its envelope.
    :param patience: s within which there must be a server.
    """
    identifier = UUID(uuid=list(uuid.uuid4().bytes))  # so that no server takes it twice
    heard = feedback and (lambda message: feedback(message.feedback))
    sent: list[Future] = []

    def answer() -> Future | None:
        return next((future for future in sent if future.done()), None)

    def send(client: ActionClient) -> None:
        sent.append(client.send_goal_async(goal, feedback_callback=heard, goal_uuid=identifier))

    for _ in range(_OFFERS):
        client = ros.within(lambda: ActionClient(ros.node, kind, name))
        ros.wait_until(client.server_is_ready, patience, f'the action {name}')
        ros.within(partial(send, client))
        with contextlib.suppress(AssertionError):
            ros.wait_until(answer, _RESEND)
            break
    assert answer() is not None, f'nobody answered {_OFFERS} offers to {name}'
    handle = answer().result()
    if not handle.accepted and len(sent) > 1:  # the first offer was taken, but not answered
        handle._goal_response.accepted = True
    return handle


def result_of(ros: RosHarness, handle: ClientGoalHandle, timeout: float = 20.0) -> Any:
    """Wait for a goal's end; return its status and result."""
    future = ros.within(handle.get_result_async)
    ros.wait_until(future.done, timeout, 'the result')
    return future.result()
