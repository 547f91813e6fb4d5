"""The robot as the supervisor asks it: one trial at a time, through ``run_trials``."""

from __future__ import annotations

import time

from rclpy.node import Node

from enpire_msgs.action import RunTrials
from enpire_msgs.msg import Heartbeat
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.evolution.campaign.schedule import AGENT, Slice, STATION
from enpire_nodes.evolution.records import JobKind
from enpire_nodes.rollout import answers
from enpire_nodes.rollout.calls import Action, Link
from enpire_nodes.rollout.messages import parameter_messages
from enpire_nodes.rollout.trial.presence import Presence
from enpire_nodes.rollout.trial.waiting import Waiting
from enpire_nodes.ros import qos

RUNNER = 'trial_runner'
_READY = 15.0  # s for a runner that was restarted to take goals again
_TRIAL = 1800.0  # s (wall) for one trial, resets that are tried again included
_CANCEL = 60.0  # s


class Robot:
    """Asks the trial runner; made in the thread that spins ``node``, used in another one.

    :param lost_after: s of silence after which the runner counts as lost.
    """

    def __init__(self, node: Node, *, lost_after: float = 3.0) -> None:
        self._name = f'{node.get_namespace().rstrip("/")}/{RUNNER}'
        self._presence = Presence([self._name], lost_after=lost_after)
        self._closing = False
        self._life: dict[str, int] = {}
        self._waiting = Waiting(self._interrupt)
        link = Link(node, self._waiting, gone=self._gone, idle=self._idle)
        self._action = Action(
            link, RunTrials, 'run_trials', server=RUNNER,
            refused=ErrorCode.RUNNER_BUSY, cancel_deadline=_CANCEL,
        )  # fmt: skip
        self._node = node
        self._heard = node.create_subscription(
            Heartbeat, 'heartbeats', self._on_beat, qos.HEARTBEATS
        )

    @property
    def ready(self) -> bool:
        """Whether the runner is there and takes goals."""
        lost = self._presence.is_lost(self._name, time.monotonic())
        return not lost and self._action.ready

    def run(self, piece: Slice) -> tuple[ErrorCode, str]:
        """Run one trial; return why it could not be, NONE when it was.

        A runner that dies meanwhile closes the trial itself when it comes back; the ledger tells.
        """
        try:
            self._life = {}
            self._waiting.until(
                lambda: self.ready, deadline=time.monotonic() + _READY, what='the trial runner'
            )
            self._life = dict(self._presence.roster())
            result = self._action.run(goal_of(piece), deadline=time.monotonic() + _TRIAL)
        except StationError as error:
            return error.code, error.message
        if result.outcome in (RunTrials.Result.COMPLETED, RunTrials.Result.YIELDED):
            return ErrorCode.NONE, ''
        return answers.code(result.error_code, ErrorCode.RUNNER_INTERNAL), result.message

    def close(self) -> None:
        """Make every wait end; the trial under way is canceled."""
        with self._waiting.changing():
            self._closing = True

    def destroy(self) -> None:
        """Leave the graph; only in the spinning thread."""
        self._action.destroy()
        self._node.destroy_subscription(self._heard)

    def _on_beat(self, message: Heartbeat) -> None:
        self._waiting.change(
            lambda: self._presence.beat(
                message.node, incarnation=message.incarnation, condition=message.state,
                message=message.message, now=time.monotonic(),
            )
        )  # fmt: skip

    def _interrupt(self) -> None:
        if self._closing:
            raise StationError(ErrorCode.SUPERVISOR_CANCELED, 'the supervisor is being shut down')
        if self._life and (self._gone(RUNNER) or self._presence.roster() != self._life):
            raise StationError(ErrorCode.RUNNER_NODE_LOST, 'the trial runner was lost')

    def _gone(self, name: str) -> bool:
        return self._presence.is_lost(self._name, time.monotonic())

    def _idle(self, name: str, instant: float) -> bool:
        return self._presence.idle_since(self._name, instant)


def goal_of(piece: Slice) -> RunTrials.Goal:
    """Return the goal that runs one trial of a slice's arm."""
    job, arm = piece.job, piece.arm
    return RunTrials.Goal(
        request_id=arm.request_id,
        requester=AGENT if job.requester == AGENT else STATION,
        trials=job.trials,
        max_attempts=job.max_attempts,
        controller=arm.controller,
        controller_parameters=parameter_messages(arm.settings),
        seeds=list(job.seeds),
        idea=arm.idea,
        commit=arm.commit,
        confirmation=job.kind is JobKind.CONFIRM,
        at_most=1,
    )
