"""Action goals that end when the work ends, without a coroutine.

rclpy's event-driven executor polls an awaiting ``execute_callback`` at full speed, so goals are
accepted, worked on by ordinary callbacks, and finished later.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.node import Node


class GoalServer:
    """An action server with one goal at a time.

    :param node: that the server belongs to.
    :param action: action type.
    :param name: action name.
    :param accept: gets the goal; returns an empty string to accept it, or why it is refused.
    :param start: gets the goal after it was accepted; must end in :meth:`finish`.
    """

    def __init__(
        self,
        node: Node,
        action: type,
        name: str,
        *,
        accept: Callable[[Any], str],
        start: Callable[[Any], None],
    ) -> None:
        self._node = node
        self._action = action
        self._accept = accept
        self._start = start
        self._handle: ServerGoalHandle | None = None
        self._server = ActionServer(
            node,
            action,
            name,
            execute_callback=_never,
            goal_callback=self._on_goal,
            handle_accepted_callback=self._on_accepted,
            cancel_callback=lambda _: CancelResponse.ACCEPT,
        )

    @property
    def busy(self) -> bool:
        """Whether a goal is under way."""
        return self._handle is not None

    @property
    def cancel_requested(self) -> bool:
        """Whether the client wants the goal under way to stop."""
        return self._handle is not None and self._handle.is_cancel_requested

    def feedback(self, **fields: Any) -> None:
        """Publish feedback for the goal under way."""
        if self._handle is not None:
            self._handle.publish_feedback(self._action.Feedback(**fields))

    def finish(self, result: Any, *, succeeded: bool) -> None:
        """End the goal under way; a goal whose cancellation was requested ends as canceled.

        :param result: the action's result message.
        :param succeeded: whether the goal reached what it asked for; else it is aborted.
        """
        handle, self._handle = self._handle, None
        if handle is None:
            return

        def execute(goal: ServerGoalHandle) -> Any:
            if goal.is_cancel_requested:
                goal.canceled()
            elif succeeded:
                goal.succeed()
            else:
                goal.abort()
            return result

        handle.execute(execute)

    def destroy(self) -> None:
        """Remove the server from its node."""
        self._server.destroy()

    def _on_goal(self, goal: Any) -> GoalResponse:
        # what was accepted is no goal yet: rclpy does not begin one whose client is gone by then
        reason = 'another goal is under way' if self.busy else self._accept(goal)
        if reason:
            self._node.get_logger().warning(f'goal refused: {reason}')
            return GoalResponse.REJECT
        return GoalResponse.ACCEPT

    def _on_accepted(self, handle: ServerGoalHandle) -> None:
        self._handle = handle
        self._start(handle.request)


def _never(goal: ServerGoalHandle) -> None:
    raise RuntimeError('a deferred goal was executed directly')
