"""One attempt without ROS: from sensing to features, from actions to commands, and measures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.types import (
    ArmCommand,
    ArmState,
    Command,
    Frame,
    Observation,
    Program,
)
from enpire_nodes.rollout.controllers.interface import Action, AttemptContext, Controller, Features


class FeatureObserver(Protocol):
    """The part of a task's observer that an attempt needs."""

    def features(self, observation: Observation, *, elapsed: float = 0.0) -> dict[str, np.ndarray]:
        """Return the features of one control period."""
        ...


@dataclass(frozen=True, slots=True)
class MotionLimits:
    """How a policy's wishes are shortened before they reach the safety gate.

    :param speed: m/s, of the target.
    :param lead: m, the farthest that the target may be from the measured tool: the arm is
        compliant, so that this also bounds how hard a policy can push.
    """

    speed: float = 0.12
    lead: float = 0.015


class AttemptMotion:
    """The working arm during one attempt.

    :param arm: name of the working arm.
    :param observer: of the task, made for this attempt.
    :param origin: (3,) m, the goal of the task in ``world``; features and actions are relative.
    :param quaternion: (4,) xyzw, kept for the whole attempt.
    :param gripper_width: m, commanded until the policy says otherwise.
    :param gripper_effort: N.
    :param pictures: makes features of the newest frames; None for a policy without pictures.
    """

    def __init__(
        self,
        arm: str,
        observer: FeatureObserver,
        *,
        origin: np.ndarray,
        quaternion: np.ndarray,
        gripper_width: float,
        gripper_effort: float,
        control_rate: float = 30.0,
        limits: MotionLimits = MotionLimits(),
        pictures: Callable[[Mapping[str, Frame]], dict[str, np.ndarray]] | None = None,
    ) -> None:
        self._pictures = pictures
        self._arm, self._observer = arm, observer
        self._origin = np.asarray(origin, dtype=float)
        self._quaternion = np.asarray(quaternion, dtype=float)
        self._width, self._effort = float(gripper_width), float(gripper_effort)
        self._longest_step, self._lead = limits.speed / control_rate, limits.lead
        self.measured = np.zeros(3)
        self._target: np.ndarray | None = None
        self._start: float | None = None
        self._top = 0.0
        self.elapsed = 0.0
        self.features: dict[str, np.ndarray] = {}
        self.steps = 0
        self.peak_force = 0.0
        self.force = 0.0
        self.depth = 0.0

    def sense(self, observation: Observation) -> dict[str, np.ndarray]:
        """Return the features of one control period, and keep the measures up to date.

        :raises StationError: POLICY_OBSERVATION_STALE, when the arm is missing or not finite.
        """
        state = self._look(observation)
        if self._start is None:
            self._start, self._top = observation.stamp, float(self.measured[2])
        self.elapsed = observation.stamp - self._start
        self.force = float(np.linalg.norm(state.force))
        self.peak_force = max(self.peak_force, self.force)
        self.depth = max(self.depth, self._top - float(self.measured[2]))
        features = self._observer.features(observation, elapsed=self.elapsed)
        self.features = {**features, 'target': self._target - self._origin}
        if self._pictures is None:
            return self.features
        return {**self.features, **self._pictures(observation.frames)}

    def hold(self, observation: Observation) -> dict[str, ArmCommand]:
        """Return the command that keeps the tool where it was first seen.

        :raises StationError: as :meth:`sense`.
        """
        self._look(observation)
        return self._at(self._target)

    def command(self, action: Action | None) -> dict[str, ArmCommand]:
        """Return the command for an action; ``None`` (no answer in time) repeats the last one.

        :raises StationError: POLICY_NOT_FINITE.
        """
        self.steps += 1
        if action is not None:
            self._target = self._limited(self._wish(action))
            if action.gripper_width is not None:
                self._width = max(0.0, float(action.gripper_width))
        return self._at(self._target)

    def halt(self) -> dict[str, ArmCommand]:
        """Return the command that stops the tool where it is measured, with the grip kept."""
        return self._at(self.measured)

    def _at(self, position: np.ndarray) -> dict[str, ArmCommand]:
        return {self._arm: ArmCommand(position, self._quaternion, self._width, self._effort)}

    def _look(self, observation: Observation) -> ArmState:
        state = observation.arms.get(self._arm)
        if state is None or not (
            np.isfinite(state.position).all() and np.isfinite(state.force).all()
        ):
            raise StationError(
                ErrorCode.POLICY_OBSERVATION_STALE,
                f'arm {self._arm!r} reports no finite pose and force; look at the driver',
            )
        self.measured = np.asarray(state.position, dtype=float)
        if self._target is None:
            self._target = self.measured.copy()
        return state

    def _wish(self, action: Action) -> np.ndarray:
        if action.delta is not None:
            wish = self._target + action.delta
        elif action.position is not None:
            wish = self._origin + action.position
        else:
            wish = self._target
        if not np.isfinite(wish).all():
            raise StationError(ErrorCode.POLICY_NOT_FINITE, f'the target became {wish.tolist()} m')
        return wish

    def _limited(self, wish: np.ndarray) -> np.ndarray:
        step = _shortened(wish - self._target, self._longest_step)
        return self.measured + _shortened(self._target + step - self.measured, self._lead)


@dataclass(frozen=True, slots=True)
class ExecutionReport:
    """How an attempt in one process went; ``settle`` is what the settle program returned."""

    completed: bool
    steps: int
    duration: float
    peak_force: float
    depth: float
    settle: Any


def execute(
    controller: Controller,
    motion: AttemptMotion,
    settle: Program[Any],
    context: AttemptContext,
) -> Program[ExecutionReport]:
    """Run a controller in this process, then settle: what the executor node does, for benches.

    :param controller: as :func:`enpire_nodes.rollout.controllers.registry.make` makes it.
    :param settle: the task's settle program, not primed yet.
    """
    controller.reset(context)
    observation = yield None
    completed = False
    while True:
        features: Features = motion.sense(observation)
        if motion.elapsed >= context.timeout:
            break
        action = controller.step(features)
        completed = action.done
        if completed:
            break
        observation = yield motion.command(action)
    next(settle)
    try:
        while True:
            command: Command | None = settle.send(observation)
            observation = yield command
    except StopIteration as end:
        settled = end.value
    return ExecutionReport(
        completed, motion.steps, motion.elapsed, motion.peak_force, motion.depth, settled
    )


def _shortened(vector: np.ndarray, longest: float) -> np.ndarray:
    length = float(np.linalg.norm(vector))
    return vector if length <= longest else vector * (longest / length)
