"""Services and actions called from a working thread, while another thread spins the node.

rclpy itself is only touched by the spinning thread: a request is posted to its executor, and the
answer comes back through :class:`~enpire_nodes.rollout.trial.waiting.Waiting`. Every ``deadline``
is s of the monotonic clock.
"""

from __future__ import annotations

from collections.abc import Callable
import time
from typing import Any
import uuid

from action_msgs.srv import CancelGoal
from rclpy.action import ActionClient
from rclpy.node import Node
from rclpy.task import Future
from unique_identifier_msgs.msg import UUID

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.trial.waiting import Reply, Waiting

#: s between two questions to a service that is still working on its answer.
POLL = 0.01
#: s after which an unanswered request is sent again; every service of a station is idempotent.
RESEND = 1.0
#: s after which the result of a goal is asked for again.
REMIND = 3.0
#: s within which an action server says whether it takes a goal.
ACCEPT = 5.0


class Link:
    """The spinning node, the way to wait for it, and what it hears of its partners.

    :param gone: whether the node with this relative name can no longer answer.
    :param idle: whether that node has said, after an instant, that it works on no goal.
    """

    def __init__(
        self,
        node: Node,
        waiting: Waiting,
        *,
        gone: Callable[[str], bool],
        idle: Callable[[str, float], bool],
    ) -> None:
        self.node, self.waiting, self.gone, self.idle = node, waiting, gone, idle

    def post(self, call: Callable[[], None]) -> None:
        """Let the spinning thread make a call, in order."""
        executor = self.node.executor
        if executor is None:
            raise StationError(ErrorCode.RUNNER_INTERRUPTED, 'the runner is being shut down')
        executor.create_task(call)

    def ask(self, send: Callable[[], Future]) -> Reply:
        """Let the spinning thread start an operation; its outcome ends up in the reply."""
        reply: Reply = Reply()

        def settled(future: Future) -> None:
            error = future.exception()
            self.waiting.settle(reply, value=None if error else future.result(), error=error)

        def start() -> None:
            try:
                send().add_done_callback(settled)
            except Exception as error:  # noqa: BLE001 - the caller gets it
                self.waiting.settle(reply, error=error)

        self.post(start)
        return reply


class Service:
    """A service of the station; made in the spinning thread.

    :param server: relative name of the node that offers it.
    """

    def __init__(self, link: Link, kind: type, name: str, *, server: str) -> None:
        self._link, self._server, self.name = link, server, name
        self._client = link.node.create_client(kind, name)

    @property
    def ready(self) -> bool:
        """Whether the service is there."""
        return self._client.service_is_ready()

    def destroy(self) -> None:
        """Remove the client; only in the spinning thread."""
        self._link.node.destroy_client(self._client)

    def fire(self, request: Any) -> None:
        """Send a request and do not wait; only in the spinning thread."""
        self._client.call_async(request)

    def call(self, request: Any, *, deadline: float, interruptible: bool = True) -> Any:
        """Return the answer.

        :raises StationError: RUNNER_NODE_LOST, RUNNER_STAGE_TIMEOUT, or the interruption's.
        """
        while True:
            reply = self._link.ask(lambda: self._client.call_async(request))
            try:
                return self._link.waiting.answer(
                    reply,
                    deadline=min(deadline, time.monotonic() + RESEND),
                    what=self.name,
                    interruptible=interruptible,
                    gone=lambda: self._link.gone(self._server),
                )
            except StationError as error:
                late = error.code is ErrorCode.RUNNER_STAGE_TIMEOUT
                if not late or time.monotonic() >= deadline:
                    raise

    def poll(
        self, request: Any, *, pending: int, deadline: float, interruptible: bool = True
    ) -> Any:
        """Ask until the answer's ``outcome`` is another than ``pending``."""
        while True:
            answer = self.call(request, deadline=deadline, interruptible=interruptible)
            if answer.outcome != pending:
                return answer
            if time.monotonic() >= deadline:
                raise StationError(
                    ErrorCode.RUNNER_STAGE_TIMEOUT,
                    f'{self.name} was not done in time: {answer.message}',
                )
            self._link.waiting.pause(POLL, interruptible=interruptible)


class Action:
    """An action of the station with one goal at a time; made in the spinning thread.

    :param server: relative name of the node that offers it.
    :param refused: code of the error when it does not take a goal.
    :param cancel_deadline: s within which a canceled goal has come to a controlled stop.
    """

    def __init__(
        self,
        link: Link,
        kind: type,
        name: str,
        *,
        server: str,
        refused: ErrorCode,
        cancel_deadline: float,
    ) -> None:
        self._link, self._server, self.name = link, server, name
        self._refused, self._cancel_deadline = refused, cancel_deadline
        self._client = ActionClient(link.node, kind, name)
        self._cancel = Service(link, CancelGoal, f'{name}/_action/cancel_goal', server=server)

    @property
    def ready(self) -> bool:
        """Whether the action is there."""
        return self._client.server_is_ready()

    def destroy(self) -> None:
        """Remove the client; only in the spinning thread."""
        self._client.destroy()
        self._cancel.destroy()

    def abandon(self) -> None:
        """Cancel whatever goal the server has and do not wait; only in the spinning thread."""
        self._cancel.fire(CancelGoal.Request())

    def run(self, goal: Any, *, deadline: float) -> Any:
        """Send a goal and return its result message.

        :raises StationError: ``refused``; or RUNNER_NODE_LOST, RUNNER_STAGE_TIMEOUT or the
            interruption's, after the goal was canceled and has stopped, as far as its server can.
        """
        identifier = UUID(uuid=list(uuid.uuid4().bytes))
        running = False
        try:
            handle, offers = self._persist(
                # the same identifier, so that a server never takes the goal twice
                lambda: self._client.send_goal_async(goal, goal_uuid=identifier),
                deadline=min(deadline, time.monotonic() + ACCEPT),
                every=RESEND,
                what=f'{self.name}: the acceptance of the goal',
            )
            running = handle.accepted or offers > 1  # it may be the second offer that is refused
            if not handle.accepted:
                raise StationError(
                    self._refused, f'{self.name} refused the goal; the log of its node says why'
                )
            answer, _ = self._persist(
                handle.get_result_async, deadline=deadline, every=REMIND, what=self.name
            )
        except StationError as error:
            if running or error.code is not self._refused:
                self._halt()
            raise
        return answer.result

    def _persist(
        self, send: Callable[[], Future], *, deadline: float, every: float, what: str
    ) -> tuple[Any, int]:
        """Send a request again and again until it is answered; return the answer, and how often.

        A server that was just restarted may be found before it can answer us, and its first
        answer is lost then.
        """
        replies: list[Reply] = []

        def answered() -> Reply | None:
            return next((reply for reply in replies if reply.done), None)

        while True:
            replies.append(self._link.ask(send))
            try:
                reply = self._link.waiting.until(
                    answered, deadline=min(deadline, time.monotonic() + every), what=what
                )
            except StationError as error:
                late = error.code is ErrorCode.RUNNER_STAGE_TIMEOUT
                if not late or time.monotonic() >= deadline:
                    raise
            else:
                return self._link.waiting.answer(reply, deadline=deadline, what=what), len(replies)

    def _halt(self) -> None:
        """Cancel whatever goal the server has, and wait until it is no longer at work."""
        end = time.monotonic() + self._cancel_deadline
        everything = CancelGoal.Request()  # no identifier and no stamp: all goals
        try:
            self._cancel.call(everything, deadline=end, interruptible=False)
            asked = time.monotonic()
            self._link.waiting.until(
                lambda: self._link.idle(self._server, asked) or self._link.gone(self._server),
                deadline=end,
                what=f'{self.name}: the controlled stop',
                interruptible=False,
            )
        except StationError as error:
            self._link.node.get_logger().warning(f'{self.name}: {error.message}')
