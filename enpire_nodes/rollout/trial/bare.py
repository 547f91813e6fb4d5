"""A whole station in one process, without ROS: the same reset, policy and verifier, called.

What tests, training and the bench run trials on. There is no safety gate and no recorder: never
put a real robot behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
import time
from typing import Any, Protocol

import numpy as np

from enpire_nodes.common.cameras import Camera
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.types import Command, Observation, Program
from enpire_nodes.rollout.controllers import registry
from enpire_nodes.rollout.controllers.interface import (
    AttemptContext,
    Controller,
    Features,
    PreviousAttempt,
)
from enpire_nodes.rollout.policy.attempt import AttemptMotion, execute, MotionLimits
from enpire_nodes.rollout.policy.pictures import pictures_for
from enpire_nodes.rollout.records import (
    AttemptRecord,
    Execution,
    ParameterValue,
    TrialRecord,
    VerdictOutcome,
    VerdictRecord,
    VoteRecord,
)
from enpire_nodes.rollout.trial.port import ExecuteResult, Recording, ResetResult
from enpire_nodes.tasks.api import Judgement, OPERATOR_CODES, Pose, Task, Verifier

CONTROL_RATE = 30.0  # Hz


class Plant(Protocol):
    """What a bare station moves, for example the simulated station."""

    def observe(self) -> Observation:
        """Return the newest observation."""

    def step(self, command: Command) -> Observation:
        """Accept targets, let one control period pass, and return what is sensed then."""


@dataclass(frozen=True, slots=True)
class BareSettings:
    """What the nodes take from their parameters.

    :param realtime: keep to the wall clock; else as fast as the CPU.
    :param timeout: s for the policy alone.
    :param judge_timeout: s after which is decided on what is there.
    """

    realtime: bool = False
    timeout: float = 12.0
    judge_timeout: float = 3.0
    limits: MotionLimits = field(default_factory=MotionLimits)


class BareStation:
    """Runs every stage right here; see :class:`~enpire_nodes.rollout.trial.port.Station`.

    :param plant: moves and senses.
    :param cameras: calibrated ones that the task needs.
    :param watch: gets every observation, for a recording or a picture.
    """

    def __init__(
        self,
        plant: Plant,
        task: Task,
        cameras: Mapping[str, Camera],
        *,
        settings: BareSettings | None = None,
        watch: Callable[[Observation], None] = lambda observation: None,
    ) -> None:
        self._plant, self._task, self._watch = plant, task, watch
        self._settings = settings if settings is not None else BareSettings()
        self._cameras = {name: cameras[name] for name in task.cameras}
        self._observation = plant.observe()
        self._verifier: Verifier = task.verifier(self._cameras)
        self._seen: dict[str, float] = {}
        self._controller: Controller | None = None
        self._selected: tuple[str, Mapping[str, ParameterValue]] = ('scripted', {})
        self._given = False
        self._due = time.monotonic()
        #: What the policy saw in each attempt of the newest trial: stamps in s, and features.
        self.traces: dict[int, list[tuple[float, Features]]] = {}

    # -- the port -------------------------------------------------------------------------------

    def now_ns(self) -> int:
        """Return the plant's clock."""
        return round(self._observation.stamp * 1e9)

    def prepare(self, controller: str, parameters: Mapping[str, ParameterValue]) -> str:
        """Make the controller in this process."""
        if controller or self._controller is None:
            name = controller or self._selected[0]
            values = {key.rpartition('.')[2]: value for key, value in parameters.items()}
            self._controller, self._selected = registry.make(name, values), (name, values)
            self._given = False
        return self._selected[0]

    def use(self, controller: Controller, name: str) -> None:
        """Run a controller that was made elsewhere; nobody vouches for it by a digest."""
        self._controller, self._selected, self._given = controller, (name, {}), True

    def check(self) -> None:
        """Find nothing: one process is whole or dead."""

    def start_recording(self, trial_id: str, bag: Path) -> None:
        """Record nothing."""

    def stop_recording(self, trial_id: str) -> Recording:
        """Return that nothing is missing of what was not recorded."""
        return Recording()

    def reset(self, trial_id: str, seed: int) -> ResetResult:
        """Run the task's reset."""
        self.traces = {}
        try:
            report = self._drive(self._task.reset(self._cameras, seed=seed))
        except StationError as error:
            recoveries = tuple(getattr(error, 'recoveries', ()))
            needed = error.code in OPERATOR_CODES
            return ResetResult(None, error.code, error.message, needed, recoveries)
        return ResetResult(report.fixture, message=report.message, recoveries=report.recoveries)

    def execute(
        self,
        trial_id: str,
        attempt: int,
        *,
        seed: int,
        fixture: Pose,
        previous: tuple[AttemptRecord, ...],
    ) -> ExecuteResult:
        """Run the controller in this process, then the task's settle."""
        task, settings = self._task, self._settings
        trace = self.traces[attempt] = []
        motion = _TracedMotion(
            task.arm,
            task.observer(self._cameras, fixture),
            origin=fixture.position,
            quaternion=task.hand_down,
            gripper_width=task.motion['grip_width'],
            gripper_effort=task.motion['grip_effort'],
            control_rate=CONTROL_RATE,
            limits=settings.limits,
            pictures=pictures_for(self._selected[1], lambda: task.crops(self._cameras)),
            trace=trace,
        )
        context = AttemptContext(
            attempt=attempt,
            seed=seed,
            goal_position=fixture.position,
            goal_quaternion=fixture.quaternion,
            control_rate=CONTROL_RATE,
            timeout=settings.timeout,
            previous=tuple(_previous(item) for item in previous),
        )
        start = self.now_ns()
        report = self._drive(execute(self._controller, motion, task.settle(fixture), context))
        name, values = self._selected
        return ExecuteResult(
            execution=Execution.COMPLETED if report.completed else Execution.TIMED_OUT,
            can_retry=report.settle.can_retry,
            start_ns=start,
            settle_start_ns=round(report.settle.settle_start * 1e9),
            settled_ns=round(report.settle.settled * 1e9),
            steps=report.steps,
            peak_force=report.peak_force,
            depth=max(0.0, report.depth),
            controller=name,
            controller_digest='' if self._given else registry.digest(name, values),
            controller_parameters=dict(values),
        )

    def judge(
        self, trial_id: str, attempt: int, *, settle_start_ns: int, settled_ns: int
    ) -> VerdictRecord:
        """Hold still until the verifier has seen enough, and let it decide."""
        evidence = {'settle_start': settle_start_ns / 1e9, 'settled': settled_ns / 1e9}
        end = self._observation.stamp + self._settings.judge_timeout
        while self._observation.stamp < end and not self._verifier.ready(**evidence):
            self._step({})
        judgement = self._verifier.decide(now=self._observation.stamp, **evidence)
        return _verdict(judgement, self.now_ns(), self._verifier.digest)

    # -- within ---------------------------------------------------------------------------------

    def _drive(self, program: Program[Any]) -> Any:
        next(program)
        self._due = max(self._due, time.monotonic())
        while True:
            try:
                command = program.send(self._observation)
            except StopIteration as end:
                return end.value
            self._step(command)

    def _step(self, command: Command) -> None:
        self._observation = observation = self._plant.step(command)
        self._verifier.add_arm_state(observation.arms[self._task.arm])
        for name in self._cameras:
            frame = observation.frames.get(name)
            if frame is not None and frame.stamp != self._seen.get(name):
                self._seen[name] = frame.stamp
                self._verifier.add_frame(name, frame)
        self._watch(observation)
        if self._settings.realtime:
            self._due += 1.0 / CONTROL_RATE
            time.sleep(max(0.0, self._due - time.monotonic()))


class _TracedMotion(AttemptMotion):
    """Keeps what it senses."""

    def __init__(
        self, *arguments: Any, trace: list[tuple[float, Features]], **options: Any
    ) -> None:
        super().__init__(*arguments, **options)
        self._trace = trace

    def sense(self, observation: Observation) -> dict[str, np.ndarray]:
        features = super().sense(observation)
        self._trace.append((observation.stamp, features))
        return features


class MemoryBook:
    """Rows that live as long as the process."""

    def __init__(self) -> None:
        self.trials: list[TrialRecord] = []

    def start_trial(self, trial: TrialRecord) -> None:
        """Take note of nothing: there is no disk to be ahead of."""

    def close_trial(self, trial: TrialRecord) -> TrialRecord:
        """Keep a closed trial."""
        self.trials.append(trial)
        return trial


def _previous(attempt: AttemptRecord) -> PreviousAttempt:
    return PreviousAttempt(
        index=attempt.index,
        verdict=attempt.verdict.outcome.name.lower(),
        execution=attempt.execution.name.lower(),
        steps=attempt.steps,
        duration=attempt.duration,
        peak_force=attempt.peak_force,
        depth=attempt.depth,
    )


def _verdict(judgement: Judgement, now_ns: int, digest: str) -> VerdictRecord:
    return VerdictRecord(
        outcome=VerdictOutcome(judgement.outcome),
        stamp_ns=now_ns,
        score=judgement.score,
        votes=tuple(
            VoteRecord(
                source=vote.source,
                verdict=VerdictOutcome(vote.verdict),
                score=vote.score,
                samples=vote.samples,
                age=vote.age,
                reason=vote.reason,
            )
            for vote in judgement.votes
        ),
        latency=judgement.latency,
        error_code=ErrorCode(judgement.error_code),
        message=judgement.message,
        digest=digest,
    )
