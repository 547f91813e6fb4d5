"""Real nodes that stand in for a station's partners and do as they are told."""

from __future__ import annotations

from collections.abc import Callable
import time
from typing import Any

from rcl_interfaces.msg import SetParametersResult
from ros_support import RosHarness

from enpire_msgs.action import ExecutePolicy, ResetScene
from enpire_msgs.msg import SafetyState, StationState, Verdict, Vote
from enpire_msgs.srv import Judge, JudgeEvidence, StartRecording, StopRecording
from enpire_nodes.common.errors import ErrorCode
from enpire_nodes.ros import convert, qos
from enpire_nodes.ros.goals import GoalServer
from enpire_nodes.ros.node import StationNode

NONE = int(ErrorCode.NONE)


class FakeDriver(StationNode):
    """Beats, and nothing else."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__('driver', **arguments)


class FakeGate(StationNode):
    """Publishes what the test says that the gate says."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__('safety_gate', **arguments)
        self._states = self.create_publisher(SafetyState, 'safety_state', qos.LATCHED)
        self.say(SafetyState.HOLDING)

    def say(self, mode: int, message: str = '') -> None:
        self._states.publish(SafetyState(mode=mode, message=message, limits_digest='limits'))


class _Worker(StationNode):
    """Offers an action; a goal ends after ``takes`` s, or never when that is None."""

    action: type
    name: str
    topic: str

    def __init__(self, **arguments: Any) -> None:
        super().__init__(self.name, **arguments)
        self.takes: float | None = 0.0
        self.refuse = ''
        self.goals: list = []
        self.canceled = 0
        self.results: list[dict] = []
        self._until: float | None = None

    def configure(self) -> None:
        self._server = GoalServer(
            self, self.action, self.topic, accept=lambda goal: self.refuse, start=self._begin
        )
        self.create_steady_timer(0.01, self._tick)

    def answer(self, **fields: Any) -> Any:
        raise NotImplementedError

    def _begin(self, goal: Any) -> None:
        self.goals.append(goal)
        self.set_busy(True)
        self._until = time.monotonic() + (1e9 if self.takes is None else self.takes)

    def _tick(self) -> None:
        if self._until is None:
            return
        canceled = self._server.cancel_requested
        if canceled or time.monotonic() >= self._until:
            self._until = None
            self.canceled += canceled
            self.set_busy(False)
            fields = self.results.pop(0) if self.results and not canceled else {}
            if canceled:
                fields = {'outcome': self.action.Result.CANCELED}
            self._server.finish(self.answer(**fields), succeeded=not canceled)


class FakeReset(_Worker):
    """Is READY unless told otherwise."""

    action, name, topic = ResetScene, 'scene_reset', 'reset_scene'

    def answer(self, **fields: Any) -> ResetScene.Result:
        result = ResetScene.Result(
            **{'outcome': ResetScene.Result.READY, 'error_code': NONE, **fields}
        )
        result.fixture.header.frame_id = convert.WORLD
        return result


class FakeExecutor(_Worker):
    """Completes every attempt unless told otherwise; its controller is a parameter."""

    action, name, topic = ExecutePolicy, 'policy_executor', 'execute_policy'

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.declare_parameter('controller', 'scripted')
        self.declare_parameter('spiral_search.press_force', 1.0)
        self.changes: list[dict] = []
        self.station = StationState()
        self.add_on_set_parameters_callback(self._check)
        self.create_subscription(StationState, 'station_state', self._on_station, qos.LATCHED)

    def answer(self, **fields: Any) -> ExecutePolicy.Result:
        values = {
            'outcome': ExecutePolicy.Result.COMPLETED,
            'error_code': NONE,
            'can_retry': True,
            'steps': 30,
            'controller': self.get_parameter('controller').value,
            'controller_digest': 'digest',
        }
        now = self.get_clock().now().nanoseconds * 1e-9
        stamps = {
            name: convert.time_message(now - ago)
            for name, ago in (('start', 2.0), ('settle_start', 1.0), ('settled', 0.0))
        }
        return ExecutePolicy.Result(**{**values, **stamps, **fields})

    def _on_station(self, state: StationState) -> None:
        self.station = state

    def _check(self, parameters: list) -> SetParametersResult:
        values = {parameter.name: parameter.value for parameter in parameters}
        if self.station.trial_id:
            return SetParametersResult(successful=False, reason='a trial is under way')
        if values.get('controller') == 'nonsense':
            return SetParametersResult(
                successful=False,
                reason='[300 POLICY_UNKNOWN_CONTROLLER] no controller is called nonsense',
            )
        self.changes.append(values)
        return SetParametersResult(successful=True)


class FakeJudge(StationNode):
    """Decides at the second question; SUCCESS unless told otherwise, stored evidence too."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__('reward_classifier', **arguments)
        self.verdicts: list[int] = []
        self.wait_for_ever = False
        self.refuse = False
        self.digest = ''
        self.asked: list[Judge.Request] = []
        self._known: dict[tuple, int] = {}
        self.decide: Callable[[], int] = lambda: Verdict.SUCCESS
        self.stored: list[JudgeEvidence.Request] = []
        self._verdicts = self.create_publisher(Verdict, 'verdict', qos.LATCHED)
        self.create_service(Judge, 'judge', self._decide)
        self.create_service(JudgeEvidence, 'judge_evidence', self._decide_stored)

    def _decide(self, request: Judge.Request, response: Judge.Response) -> Judge.Response:
        key = (request.trial_id, request.attempt)
        first = key not in {(old.trial_id, old.attempt) for old in self.asked}
        self.asked.append(request)
        response.error_code, response.message = NONE, 'waiting for pictures'
        if self.refuse:
            response.outcome, response.message = Judge.Response.REFUSED, 'no cameras'
            response.error_code = int(ErrorCode.REWARD_CAMERA_MISSING)
            return response
        if first or self.wait_for_ever:
            response.outcome = Judge.Response.WAITING
            return response
        if key not in self._known:
            self._known[key] = self.verdicts.pop(0) if self.verdicts else self.decide()
            known = Verdict(
                trial_id=request.trial_id, attempt=request.attempt, outcome=self._known[key]
            )
            self._verdicts.publish(known)
        response.outcome = Judge.Response.DECIDED
        response.verdict = Verdict(
            trial_id=request.trial_id,
            attempt=request.attempt,
            outcome=self._known[key],
            error_code=NONE,
            digest=self.digest,
            votes=[Vote(source='camera/side', verdict=self._known[key])],
        )
        return response

    def _decide_stored(
        self, request: JudgeEvidence.Request, response: JudgeEvidence.Response
    ) -> JudgeEvidence.Response:
        self.stored.append(request)
        response.error_code = NONE
        if self.refuse:
            response.outcome, response.message = JudgeEvidence.Response.REFUSED, 'no weights'
            response.error_code = int(ErrorCode.REWARD_INTERNAL)
            return response
        response.outcome = JudgeEvidence.Response.DECIDED
        response.verdict = Verdict(outcome=self.decide(), error_code=NONE)
        return response


class FakeRecorder(StationNode):
    """Records at the second question; refuses when told to."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__('trial_recorder', **arguments)
        self.refuse: ErrorCode | None = None
        self.started: list[str] = []
        self.stopped: list[str] = []
        self._current = ''
        self.create_service(StartRecording, 'recorder/start', self._start)
        self.create_service(StopRecording, 'recorder/stop', self._stop)

    def _start(self, request: Any, response: Any) -> Any:
        response.error_code = NONE
        if self.refuse is not None:
            response.outcome, response.error_code = response.REFUSED, int(self.refuse)
            response.message = f'{self.refuse.name} happened'
            return response
        response.outcome = (
            response.RECORDING if request.trial_id in self.started else response.STARTING
        )
        self.started.append(request.trial_id)
        self._current = request.trial_id
        return response

    def _stop(self, request: Any, response: Any) -> Any:
        if request.trial_id != self._current:
            response.outcome = response.REFUSED
            response.error_code = int(ErrorCode.RECORDER_NOT_RECORDING)
            response.message = 'that trial is not being recorded'
            return response
        response.error_code = NONE
        known = request.trial_id in self.stopped
        self.stopped.append(request.trial_id)
        response.outcome = response.CLOSED if known else response.CLOSING
        response.digest = 'bag digest' if known else ''
        return response


class Doubles:
    """All partners of one station; a field each."""

    _KINDS: dict[str, Callable] = {
        'driver': FakeDriver,
        'gate': FakeGate,
        'reset': FakeReset,
        'executor': FakeExecutor,
        'judge': FakeJudge,
        'recorder': FakeRecorder,
    }

    def __init__(self, ros: RosHarness, *, without: tuple[str, ...] = ()) -> None:
        self._ros = ros
        for name in self._KINDS:
            if name not in without:
                self.start(name)

    def start(self, name: str) -> Any:
        """Start a partner, again after :meth:`kill`."""
        node = self._ros.make(self._KINDS[name])
        setattr(self, name, node)
        return node

    def kill(self, name: str) -> None:
        """Take a partner away without a word."""
        self._ros.remove(getattr(self, name))
