"""The trial protocol's port over the nodes of a station."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
import time

from rcl_interfaces.srv import SetParametersAtomically
from rclpy.node import Node
from rclpy.parameter import Parameter

from enpire_msgs.action import ExecutePolicy, ResetScene
from enpire_msgs.msg import Heartbeat, SafetyState
from enpire_msgs.srv import Judge, StartRecording, StopRecording
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout import answers
from enpire_nodes.rollout.calls import Action, Link, Service
from enpire_nodes.rollout.messages import (
    attempt_message,
    time_message,
)
from enpire_nodes.rollout.recording.recovery import recover_bag
from enpire_nodes.rollout.records import (
    AttemptRecord,
    ParameterValue,
    VerdictRecord,
)
from enpire_nodes.rollout.trial.port import ExecuteResult, Recording, ResetResult
from enpire_nodes.rollout.trial.presence import Presence
from enpire_nodes.rollout.trial.waiting import Waiting
from enpire_nodes.ros import convert, qos
from enpire_nodes.tasks.api import Pose

#: s that a refusal of the controller is asked again for: the executor may not have heard yet
#: that the last trial is over.
_INSIST = 0.6

#: s within which the cause of a gate's stop is heard.
_BEHIND = 0.3

RECORDER, EXECUTOR = 'trial_recorder', 'policy_executor'
RESET, JUDGE = 'scene_reset', 'reward_classifier'
GATE, DRIVER = 'safety_gate', 'driver'


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long the runner waits at most, in s of the wall clock."""

    station: float = 60.0
    reset: float = 240.0
    execute: float = 150.0
    judge: float = 20.0
    recorder_start: float = 15.0
    recorder_stop: float = 60.0
    cancel: float = 10.0


class StationClient:
    """Calls the nodes of one station; see :class:`~enpire_nodes.rollout.trial.port.Station`.

    Made in the thread that spins ``node``, used in another one.

    :param partners: relative names of the nodes that a trial needs.
    :param lost_after: s of silence after which a partner counts as lost.
    """

    def __init__(
        self,
        node: Node,
        *,
        partners: tuple[str, ...],
        deadlines: Deadlines,
        lost_after: float,
    ) -> None:
        self._node, self._deadlines = node, deadlines
        self._space = node.get_namespace().rstrip('/')
        self.presence = Presence(
            [f'{self._space}/{name}' for name in partners], lost_after=lost_after
        )
        self.safety = SafetyState()
        self._roster: Mapping[str, int] | None = None
        self._canceled = self._closing = False
        self._controller = ''
        self._controller_key: object = None
        self._bag: Path | None = None
        self._recording = ''
        self.waiting = Waiting(self._interrupt)
        self.link = Link(node, self.waiting, gone=self._gone, idle=self._idle)
        self._reset = self._action(ResetScene, 'reset_scene', RESET, ErrorCode.RESET_NOT_READY)
        self._execute = self._action(
            ExecutePolicy, 'execute_policy', EXECUTOR, ErrorCode.POLICY_BUSY
        )
        self._judge = Service(self.link, Judge, 'judge', server=JUDGE)
        self._start = Service(self.link, StartRecording, 'recorder/start', server=RECORDER)
        self._stop = Service(self.link, StopRecording, 'recorder/stop', server=RECORDER)
        self._set = Service(
            self.link,
            SetParametersAtomically,
            f'{EXECUTOR}/set_parameters_atomically',
            server=EXECUTOR,
        )
        self._subscriptions = (
            node.create_subscription(Heartbeat, 'heartbeats', self._on_beat, qos.HEARTBEATS),
            node.create_subscription(SafetyState, 'safety_state', self._on_safety, qos.LATCHED),
        )

    # -- for the spinning thread ----------------------------------------------------------------

    def cancel(self) -> None:
        """Make every wait end with RUNNER_CANCELED, until :meth:`renew`."""
        with self.waiting.changing():
            self._canceled = True

    def renew(self) -> None:
        """Forget an earlier cancellation; a new request begins."""
        with self.waiting.changing():
            self._canceled = False
            self._controller_key = None

    def close(self) -> None:
        """Stop the arms and the recording, and make every wait end with RUNNER_INTERRUPTED."""
        recording = '' if self._closing else self._recording
        with self.waiting.changing():
            self._closing = True  # first, so that no canceled stage is taken for one that ended
        if recording:
            self._reset.abandon()
            self._execute.abandon()
            self._stop.fire(StopRecording.Request(trial_id=recording))

    def destroy(self) -> None:
        """Leave the graph."""
        for entity in (
            self._reset, self._execute, self._judge, self._start, self._stop, self._set,
        ):  # fmt: skip
            entity.destroy()
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)

    @property
    def estopped(self) -> bool:
        """Whether the emergency stop is latched."""
        return self.safety.mode == SafetyState.ESTOPPED

    # -- the port -------------------------------------------------------------------------------

    def now_ns(self) -> int:
        """Return the node's clock."""
        return self._node.get_clock().now().nanoseconds

    def check(self) -> None:
        """Raise when the station is stopped, canceled or not whole."""
        with self.waiting.changing():
            self._interrupt()

    def prepare(self, controller: str, parameters: Mapping[str, ParameterValue]) -> str:
        """Wait until every partner is ready and none is busy, then set the controller."""
        self._roster = None
        self.check()
        deadline = time.monotonic() + self._deadlines.station
        try:
            self.waiting.until(lambda: not self.obstacles(), deadline=deadline, what='the station')
        except StationError as error:
            if error.code is not ErrorCode.RUNNER_STAGE_TIMEOUT:
                raise
            why = '; '.join(self.obstacles()) or 'it came back too late'
            raise StationError(
                ErrorCode.RUNNER_STATION_NOT_READY,
                f'the station is not ready after {self._deadlines.station:g} s: {why}',
            ) from error
        roster = self.presence.roster()
        self._set_controller(controller, parameters, roster.get(f'{self._space}/{EXECUTOR}'))
        self._roster = roster
        return controller or self._controller

    def start_recording(self, trial_id: str, bag: Path) -> None:
        """Start the bag and wait until every required topic arrives in it."""
        self._bag, self._recording = bag, trial_id
        answer = self._start.poll(
            StartRecording.Request(trial_id=trial_id, bag=str(bag)),
            pending=StartRecording.Response.STARTING,
            deadline=time.monotonic() + self._deadlines.recorder_start,
        )
        if answer.outcome != StartRecording.Response.RECORDING:
            raise StationError(
                answers.code(answer.error_code, ErrorCode.RECORDER_INTERNAL),
                answer.message or 'the recorder did not start; see its log',
            )

    def reset(self, trial_id: str, seed: int) -> ResetResult:
        """Run ``reset_scene``."""
        result = self._reset.run(
            ResetScene.Goal(trial_id=trial_id, seed=seed),
            deadline=time.monotonic() + self._deadlines.reset,
        )
        answer = answers.reset_result(result)
        self._look_behind(answer.error_code)
        return answer

    def execute(
        self,
        trial_id: str,
        attempt: int,
        *,
        seed: int,
        fixture: Pose,
        previous: tuple[AttemptRecord, ...],
    ) -> ExecuteResult:
        """Run ``execute_policy``."""
        goal = ExecutePolicy.Goal(
            trial_id=trial_id,
            attempt=attempt,
            seed=seed,
            fixture=convert.pose_message(
                fixture.position, fixture.quaternion, time_message(self.now_ns())
            ),
            previous=[attempt_message(item, trial_id=trial_id) for item in previous],
        )
        result = self._execute.run(goal, deadline=time.monotonic() + self._deadlines.execute)
        self._controller = result.controller or self._controller
        answer = answers.execute_result(result)
        self._look_behind(answer.error_code)
        return answer

    def judge(
        self, trial_id: str, attempt: int, *, settle_start_ns: int, settled_ns: int
    ) -> VerdictRecord:
        """Ask ``judge`` until it has decided; one that cannot work leaves it UNCERTAIN."""
        request = Judge.Request(
            trial_id=trial_id,
            attempt=attempt,
            settle_start=time_message(settle_start_ns),
            settled=time_message(settled_ns),
        )
        answer = self._judge.poll(
            request,
            pending=Judge.Response.WAITING,
            deadline=time.monotonic() + self._deadlines.judge,
        )
        return answers.verdict(answer, now_ns=self.now_ns())

    def adopt_recording(self, trial_id: str, bag: Path) -> Recording:
        """Close the bag of a trial that an earlier runner has left, as far as that can be."""
        recorder = f'{self._space}/{RECORDER}'
        self.waiting.until(
            lambda: recorder not in self.presence.troubles(time.monotonic()) and self._stop.ready,
            deadline=time.monotonic() + self._deadlines.recorder_start,
            what=f'the wait for {recorder}',
            interruptible=False,
        )
        self._bag = bag
        return self.stop_recording(trial_id)

    def stop_recording(self, trial_id: str) -> Recording:
        """Close the bag; make it readable here when the recorder did not live to do it."""
        try:
            answer = self._stop.poll(
                StopRecording.Request(trial_id=trial_id),
                pending=StopRecording.Response.CLOSING,
                deadline=time.monotonic() + self._deadlines.recorder_stop,
                interruptible=False,
            )
        except StationError as error:
            if error.code is not ErrorCode.RUNNER_NODE_LOST or self._closing:
                raise
            return self._recovered(error.code, error.message)
        self._recording = ''
        recording = answers.recording(answer)
        if recording.error_code is ErrorCode.RECORDER_NOT_RECORDING:
            return self._recovered(recording.error_code, recording.message)
        return recording

    # -- within ---------------------------------------------------------------------------------

    def obstacles(self) -> list[str]:
        """Return in words what keeps a trial from starting now."""
        troubles = self.presence.troubles(time.monotonic())
        found = [f'{name} {words}' for name, words in troubles.items()]
        found += [f'{name} is still working on a goal' for name in self.presence.busy()]
        entities = (self._reset, self._execute, self._judge, self._start, self._stop)
        found += [f'{entity.name} is not offered' for entity in entities if not entity.ready]
        if self.safety.mode == SafetyState.UNSET:
            # its limits are part of the environment that every trial is marked with
            found.append('safety_state was not heard yet')
        return found

    def _action(self, kind: type, name: str, server: str, refused: ErrorCode) -> Action:
        return Action(
            self.link,
            kind,
            name,
            server=server,
            refused=refused,
            cancel_deadline=self._deadlines.cancel,
        )

    def _set_controller(
        self, controller: str, parameters: Mapping[str, ParameterValue], incarnation: object
    ) -> None:
        key = (controller, tuple(sorted(parameters.items(), key=str)), incarnation)
        if not (controller or parameters) or repr(key) == self._controller_key:
            return
        prefix = controller or self._controller
        values: dict[str, ParameterValue] = {'controller': controller} if controller else {}
        for name, value in parameters.items():
            values[name if '.' in name or not prefix else f'{prefix}.{name}'] = value
        request = SetParametersAtomically.Request(
            parameters=[
                Parameter(name, value=value).to_parameter_msg() for name, value in values.items()
            ]
        )
        insist = time.monotonic() + _INSIST
        while True:
            deadline = time.monotonic() + self._deadlines.station
            result = self._set.call(request, deadline=deadline).result
            if result.successful:
                break
            if time.monotonic() > insist:
                raise answers.refusal(result.reason)
            self.waiting.pause(0.1)
        self._controller_key, self._controller = repr(key), prefix

    def _recovered(self, code: ErrorCode, message: str) -> Recording:
        if self._bag is None or not self._bag.is_dir():
            return Recording(False, False, code, message)
        try:
            report = recover_bag(self._bag).report
        except StationError as error:
            return Recording(False, False, error.code, error.message)
        message = f'the recorder did not close it; {report.messages} messages were recovered'
        return Recording(True, False, code, message, report.digest)

    def _look_behind(self, code: ErrorCode) -> None:
        """Raise if :meth:`close` ended a stage; wait a moment for the cause if the gate did.

        The gate stops the arms when any node has died or a person has stopped them: that is then
        what ends the trial, and whoever commanded heard of it first.
        """
        if self._closing:
            self._interrupt()
        if code is ErrorCode.POLICY_GATE_REFUSED or 100 <= code < 200:
            self.waiting.pause(_BEHIND)

    def _gone(self, server: str) -> bool:
        if self._closing:
            return True
        name = f'{self._space}/{server}'
        return name in self.presence.partners and self.presence.is_lost(name, time.monotonic())

    def _idle(self, server: str, since: float) -> bool:
        return self.presence.idle_since(f'{self._space}/{server}', since)

    def _interrupt(self) -> None:
        if self._closing:
            raise StationError(ErrorCode.RUNNER_INTERRUPTED, 'the runner was shut down')
        if self.estopped:
            raise StationError(
                ErrorCode.RUNNER_ESTOPPED,
                f'the emergency stop is latched ({self.safety.message}); when it is safe, call '
                f'{self._space}/{GATE}/rearm',
            )
        if self._roster is not None:
            lost = self.presence.lost(self._roster, time.monotonic())
            if lost:
                raise StationError(ErrorCode.RUNNER_NODE_LOST, lost)
        if self._canceled:
            raise StationError(ErrorCode.RUNNER_CANCELED, 'the client canceled the request')

    def _on_beat(self, message: Heartbeat) -> None:
        self.waiting.change(
            lambda: self.presence.beat(
                message.node,
                incarnation=message.incarnation,
                condition=message.state,
                message=message.message,
                now=time.monotonic(),
            )
        )

    def _on_safety(self, message: SafetyState) -> None:
        with self.waiting.changing():
            self.safety = message
