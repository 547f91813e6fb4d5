"""A client of one station: sends requests to its runner and hears what it says."""

from __future__ import annotations

from collections.abc import Callable
import os
import time
from types import TracebackType
from typing import Any

import rclpy
from rclpy.action import ActionClient
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.task import Future

from enpire_msgs.action import RunResearch, RunTrials
from enpire_msgs.msg import Heartbeat, ResearchStatus, ResetStatistics, StationState, Trial
from enpire_nodes.cli.board import Board
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.ros import qos

_SPIN = 0.05  # s
_SILENT = 3.0  # s without a heartbeat after which the runner counts as gone
_ACCEPT = 3.0  # s for the runner to answer a goal
_RETRY = 1.0  # s between two offers of a goal that was refused

RUNNER = 'trial_runner'
SUPERVISOR = 'agent_supervisor'
#: Who takes which goals, under which name, and what makes a goal the same when it is sent again.
_SERVERS = {
    RUNNER: (RunTrials, 'run_trials', 'request_id'),
    SUPERVISOR: (RunResearch, 'run_research', 'campaign'),
}


class StationLink:
    """Hears a station and sends it one request at a time; a context manager.

    Runs in a ROS context of its own and in the thread that calls it.

    :param namespace: of the station, with or without the leading slash.
    :param server: node that takes the requests: :data:`RUNNER` or :data:`SUPERVISOR`.
    :param context: for tests; an own one when omitted.
    """

    def __init__(
        self, namespace: str, *, server: str = RUNNER, context: Context | None = None
    ) -> None:
        self.server = server
        action, name, self.identifier = _SERVERS[server]
        self.namespace = '/' + namespace.strip('/')
        self.board = Board()
        self._own_context = context is None
        self._context = context if context is not None else Context()
        if self._own_context:
            rclpy.init(context=self._context, args=[])
        self._node = rclpy.create_node(
            f'enpire_{os.getpid()}',
            namespace=self.namespace,
            context=self._context,
            use_global_arguments=False,
        )
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._client = ActionClient(self._node, action, name)
        self._incarnation, self._beat = 0, -float('inf')
        for kind, topic, callback, profile in (
            (StationState, 'station_state', self._on_state, qos.LATCHED),
            (ResetStatistics, 'reset_statistics', self._on_resets, qos.LATCHED),
            (Trial, 'trial', self.board.add_trial, qos.EVENTS),
            (ResearchStatus, 'research_status', self._on_research, qos.LATCHED),
            (Heartbeat, 'heartbeats', self._on_beat, qos.HEARTBEATS),
        ):
            self._node.create_subscription(kind, topic, callback, profile)

    def run(
        self,
        goal: Any,
        *,
        show: Callable[[Board], None] = lambda board: None,
        patience: float = 60.0,
    ) -> Any:
        """Have a request done, over restarts of its server: it is sent again with its identifier.

        An interrupt (Ctrl-C) cancels the request and waits for its controlled stop; a second one
        is raised.

        :param goal: of the server's action; its result is returned.
        :param show: called several times a second.
        :param patience: s without a server that takes the goal after which to give up.
        :raises StationError: RUNNER_STATION_NOT_READY, nobody took the goal.
        """
        if not getattr(goal, self.identifier):
            raise ValueError('a request needs an identifier, so that it can be sent again')
        request = _Request(self, goal, show, patience)
        try:
            return request.run()
        except KeyboardInterrupt:
            self.board.notice = 'stopping; Ctrl-C again leaves at once'
            return request.cancel()

    def hear(self, seconds: float = _SPIN) -> None:
        """Take in what the station says for a while."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0.0:
            self._executor.spin_once(timeout_sec=left)

    def close(self) -> None:
        """Leave the graph."""
        self._client.destroy()
        self._executor.shutdown(timeout_sec=0.5)
        self._node.destroy_node()
        if self._own_context:
            rclpy.try_shutdown(context=self._context)

    def __enter__(self) -> StationLink:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # -- for the request --------------------------------------------------------------------------

    @property
    def incarnation(self) -> int:
        """Which life of the server was heard last; 0 when it is silent or was never heard."""
        return self._incarnation if time.monotonic() - self._beat < _SILENT else 0

    @property
    def offered(self) -> bool:
        """Whether the server is there and takes goals."""
        return bool(self.incarnation) and self._client.server_is_ready()

    def send(self, goal: Any) -> Future:
        """Send a goal; the future gives its handle."""
        return self._client.send_goal_async(goal)

    def _on_state(self, message: StationState) -> None:
        self.board.state = message

    def _on_resets(self, message: ResetStatistics) -> None:
        self.board.resets = message

    def _on_research(self, message: ResearchStatus) -> None:
        self.board.research = message

    def _on_beat(self, message: Heartbeat) -> None:
        if message.node == f'{self.namespace}/{self.server}':
            self._incarnation, self._beat = message.incarnation, time.monotonic()
            if message.state == Heartbeat.FAULTED:
                self.board.notice = f'{self.server} is faulted: {message.message}'


class _Request:
    """One goal on its way through one or more lives of its server."""

    def __init__(
        self,
        link: StationLink,
        goal: Any,
        show: Callable[[Board], None],
        patience: float,
    ) -> None:
        self._link, self._goal, self._show, self._patience = link, goal, show, patience
        self._sending: Future | None = None
        self._handle: Any = None
        self._result: Future | None = None
        self._life = 0

    def run(self) -> Any:
        said = f'waiting for {self._link.namespace}/{self._link.server}'
        while True:
            self._offer(said)
            answer = self._await_result()
            if answer is not None:
                return answer
            said = f'{self._link.server} was restarted; sending the request again'

    def cancel(self) -> Any:
        if self._handle is None and self._sending is not None:
            self._take(self._answered())  # the goal may be with the runner already
        if self._result is None:
            raise KeyboardInterrupt
        self._handle.cancel_goal_async()
        answer = self._await_result()
        if answer is None:
            raise KeyboardInterrupt
        return answer

    def _offer(self, said: str) -> None:
        self._handle = self._result = self._sending = None
        give_up = time.monotonic() + self._patience
        while time.monotonic() < give_up:
            self._say(said)
            self._pass(_SPIN)
            state = self._link.board.state
            known = getattr(self._goal, 'request_id', None)
            if state.trial_id and state.request_id == known:
                # another client sent it; we follow, and ask for the result when it is done
                give_up = time.monotonic() + self._patience
            if not self._link.offered:
                continue
            self._life = self._link.incarnation
            self._sending = self._link.send(self._goal)
            if self._take(self._answered()):
                self._say('')
                return
            said = (
                f'{self._link.server} does not take the request now: it is inactive, or works on '
                'another one'
            )
            self._say(said)
            self._pass(_RETRY)
        raise StationError(
            ErrorCode.RUNNER_STATION_NOT_READY,
            f'{self._link.namespace}/{self._link.server} did not take the request within '
            f'{self._patience:g} s: {said}. Is the station up (`enpire up`)?',
        )

    def _answered(self) -> Any:
        end = time.monotonic() + _ACCEPT
        while not self._sending.done() and time.monotonic() < end:
            self._pass(_SPIN)
        return self._sending.result() if self._sending.done() else None

    def _take(self, handle: Any) -> bool:
        if handle is None or not handle.accepted:
            return False
        self._handle, self._result = handle, handle.get_result_async()
        return True

    def _await_result(self) -> Any:
        """Return the result; None when the server that had the goal is gone."""
        while not self._result.done():
            self._pass(_SPIN)
            life = self._link.incarnation
            if life and life != self._life:
                return None
            if not life:
                self._say(f'{self._link.server} is silent; waiting for it to come back')
        result = self._result.result().result
        return None if result.outcome == type(result).UNSET else result

    def _pass(self, seconds: float) -> None:
        self._link.hear(seconds)
        self._show(self._link.board)

    def _say(self, notice: str) -> None:
        self._link.board.notice = notice
