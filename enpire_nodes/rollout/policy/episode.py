"""One attempt as the executor node lives it: a state machine of events, without ROS.

::

    PREPARING --policy ready--> STARTING --lease granted--> RUNNING
    RUNNING --done, time up, fault--> SETTLING --> finished
    STARTING, RUNNING, SETTLING --cancel--> HALTING --still--> finished (CANCELED)
    any but PREPARING --gate trips, station blind--> finished (UNSAFE)

The policy is asked and answers later; every control period gets its command nevertheless: the last
target is repeated while a policy thinks for longer than a period. One that misses its deadline
``most_misses`` times in a row loses the attempt.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
import time
import traceback
from typing import Any

import numpy as np

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.types import Command, Observation, Program
from enpire_nodes.rollout.controllers.interface import Action
from enpire_nodes.rollout.policy.attempt import AttemptMotion
from enpire_nodes.rollout.policy.outcome import EpisodeResult, Link, Outcome

_STILL_PERIODS = 6
_STILL_DISTANCE = 0.0005  # m, more than the noise of a pose
_MOST_HALT_PERIODS = 45
_GRANT_WITHIN = 2.0  # s (wall)
#: s (wall) after which a policy is slow, and not the node that asked it
_HURRY = 0.02


class State(Enum):
    """Where an episode stands."""

    PREPARING = 1
    STARTING = 2
    RUNNING = 3
    SETTLING = 4
    HALTING = 5
    FINISHED = 6


class Episode:
    """One attempt, driven by its events.

    :param link: to the node.
    :param settle: makes the task's settle program.
    :param timeout: s of the station's clock, for the policy alone.
    :param settle_timeout: s of the station's clock.
    :param most_misses: late answers in a row that end the attempt.
    :param stale_after: s (wall) without an observation after which the station is blind.
    :param lockstep: each observation is answered once, the next one perhaps by the gate before it
        grants the lease; so the policy begins one period later.
    """

    def __init__(
        self,
        link: Link,
        motion: AttemptMotion,
        settle: Callable[[], Program[Any]],
        *,
        timeout: float,
        settle_timeout: float = 60.0,
        most_misses: int = 10,
        stale_after: float = 0.5,
        lockstep: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._link, self._motion, self._make_settle = link, motion, settle
        self._timeout, self._settle_timeout = timeout, settle_timeout
        self._most_misses, self._stale_after, self._clock = most_misses, stale_after, clock
        self._lockstep = lockstep
        self.state = State.PREPARING
        self._ready = False
        self._ending = (Outcome.UNSET, ErrorCode.UNSET, '')
        self._settle: Program[Any] | None = None
        self._start: Any = None
        self._settle_start: Any = None
        self._duration = 0.0
        self._settle_began = 0.0
        self._misses = self._misses_in_a_row = 0
        self._asked_at: float | None = None
        self._kept: tuple[Action | None, StationError | None] | None = None
        self._open: tuple[Observation, Any] | None = None
        self._seen = self._engaged_at = self._ready_at = clock()
        self._granted = self._passing = False
        self._halt: Command | None = None
        self._halted: list[np.ndarray] = []

    @property
    def motion(self) -> AttemptMotion:
        """Measures of the attempt so far."""
        return self._motion

    # -- events ---------------------------------------------------------------------------------

    def prepared(self, error: StationError | None = None) -> None:
        """Hear that the policy is ready for the attempt, or that it failed before it began."""
        if self.state is State.PREPARING:
            self._ready = True
            self._ready_at = self._seen = self._clock()
            if error is not None:
                self._ending = (Outcome.ABORTED, error.code, error.message)

    def tick(self, observation: Observation, stamp: Any) -> None:
        """Take the observation of a control period."""
        self._seen = self._clock()
        self._guard(lambda: self._tick(observation, stamp))

    def answer(self, action: Action | None, error: StationError | None = None) -> None:
        """Take the policy's answer, one to each question; ``None`` when it missed its deadline."""
        self._asked_at = None
        if self.state is not State.RUNNING:
            return
        if action is None and error is None:
            error = self._miss()
        if self._open is not None:
            self._guard(lambda: self._answer(action, error))
        elif action is not None or error is not None:
            self._kept = (action, error)

    def safety(self, *, tripped: bool, passing: bool, message: str) -> None:
        """Take the gate's state, as far as it concerns this episode's lease."""
        self._granted |= passing
        if tripped and self.state not in (State.PREPARING, State.FINISHED):
            self._unsafe(ErrorCode.POLICY_GATE_REFUSED, f'the safety gate tripped: {message}')

    def cancel(self) -> None:
        """Stop the arm, keep the grip, and finish as CANCELED once it stands still."""
        if self.state is State.PREPARING:
            self._finish(Outcome.CANCELED, ErrorCode.POLICY_CANCELED, 'canceled before it moved')
        elif self.state in (State.STARTING, State.RUNNING, State.SETTLING):
            self._drop_settle()
            self.state, self._halt = State.HALTING, self._motion.halt()
            if self._open is not None:
                self._reply(self._halt)

    def abandon(self, outcome: Outcome, code: ErrorCode, message: str) -> None:
        """End at once; the gate holds the arm."""
        self._finish(outcome, code, message)

    def watch(self, *, silence: float = 0.0) -> None:
        """Look at the wall clock; call it ten times a second or more.

        :param silence: s (wall) since the last state of an arm arrived.
        """
        if self.state in (State.PREPARING, State.FINISHED):
            # not in motion: the worker's own deadlines end a preparation
            if self._ready and self.state is State.PREPARING:
                self._watch_senses(silence)
            return
        if not self._granted and self._clock() - self._engaged_at > _GRANT_WITHIN:
            self._unsafe(
                ErrorCode.POLICY_GATE_REFUSED,
                'the safety gate did not grant the motion lease; see its safety_state',
            )
            return
        self._watch_senses(silence)

    # -- states ---------------------------------------------------------------------------------

    def _tick(self, observation: Observation, stamp: Any) -> None:
        if self.state is State.PREPARING and self._ready:
            self._engaged_at = self._clock()
            self._link.engage()
            self.state = State.STARTING
        if self.state is State.STARTING:
            self._begin(observation, stamp)
        elif self.state is State.RUNNING:
            self._run(observation, stamp)
        elif self.state is State.SETTLING:
            self._step_settle(observation, stamp)
        elif self.state is State.HALTING:
            self._step_halt(observation, stamp)

    def _begin(self, observation: Observation, stamp: Any) -> None:
        """Hold until the gate passes our commands: the policy's first one must not be lost."""
        if not (self._passing if self._lockstep else self._granted):
            self._passing = self._granted
            self._link.send(self._motion.hold(observation), stamp)
            return
        self._start = stamp
        self.state = State.RUNNING
        if self._ending[0] is Outcome.ABORTED:
            self._motion.sense(observation)
            self._open = (observation, stamp)
            self._end(*self._ending)
        else:
            self._run(observation, stamp)

    def _run(self, observation: Observation, stamp: Any) -> None:
        self._open = (observation, stamp)
        features = self._motion.sense(observation)
        self._link.sensed(stamp)
        if self._motion.elapsed >= self._timeout:
            self._end(
                Outcome.TIMED_OUT,
                ErrorCode.NONE,
                f'the policy used up its {self._timeout:g} s',
            )
            return
        if self._kept is not None:
            kept, self._kept = self._kept, None
            # asking for more in the same period would delay every later action by one
            self._answer(*kept)
        elif self._asked_at is None:
            self._asked_at = self._clock()
            self._link.ask(features)
        else:
            self._wait()

    def _wait(self) -> None:
        """Deal with a control period that begins before the last one was answered."""
        if self._clock() - self._asked_at > _HURRY:
            self._reply(self._motion.command(None))
        # else we were late ourselves, and the answer is about to come

    def _answer(self, action: Action | None, error: StationError | None) -> None:
        if error is not None:
            self._end(Outcome.ABORTED, error.code, error.message)
        elif action is None:
            self._reply(self._motion.command(None))
        elif action.done:
            self._end(Outcome.COMPLETED, ErrorCode.NONE, 'the policy said that it is done')
        else:
            self._misses_in_a_row = 0
            try:
                command = self._motion.command(action)
            except StationError as refusal:
                self._end(Outcome.ABORTED, refusal.code, refusal.message)
                return
            self._reply(command)

    def _miss(self) -> StationError | None:
        """Count a late answer; return the error that ends the attempt if it was one too many."""
        self._misses += 1
        self._misses_in_a_row += 1
        if self._misses_in_a_row < self._most_misses:
            return None
        return StationError(
            ErrorCode.POLICY_DEADLINE_MISSED,
            f'the policy answered too late {self._misses_in_a_row} times in a row; make '
            'step() faster, or raise step_deadline if the station allows it',
        )

    def _reply(self, command: Command) -> None:
        _, stamp = self._open
        self._open = None
        self._link.send(command, stamp)

    def _end(self, outcome: Outcome, code: ErrorCode, message: str) -> None:
        """End the policy, and settle from the control period that is open."""
        observation, stamp = self._open
        self._open = None
        self._ending = (outcome, code, message)
        self._settle_start, self._settle_began = stamp, observation.stamp
        self._duration = self._motion.elapsed
        self.state = State.SETTLING
        self._settle = self._make_settle()
        next(self._settle)
        self._step_settle(observation, stamp)

    def _step_settle(self, observation: Observation, stamp: Any) -> None:
        try:
            if observation.stamp - self._settle_began > self._settle_timeout:
                raise StationError(
                    ErrorCode.POLICY_SETTLE_FAILED,
                    f'letting go and retreating took more than {self._settle_timeout:g} s',
                )
            command = self._settle.send(observation)
        except StopIteration as stop:
            self._finish(*self._ending, can_retry=bool(stop.value.can_retry), settled=stamp)
        except StationError as error:
            message = f'{self._ending[2]}; then it could not settle: {error}'
            self._finish(Outcome.ABORTED, ErrorCode.POLICY_SETTLE_FAILED, message, settled=stamp)
        else:
            self._link.send(command, stamp)

    def _step_halt(self, observation: Observation, stamp: Any) -> None:
        self._motion.sense(observation)
        self._halted.append(self._motion.measured)
        recent = np.array(self._halted[-_STILL_PERIODS:])
        still = len(recent) == _STILL_PERIODS and np.ptp(recent, axis=0).max() < _STILL_DISTANCE
        if still or len(self._halted) >= _MOST_HALT_PERIODS:
            self._finish(
                Outcome.CANCELED,
                ErrorCode.POLICY_CANCELED,
                'canceled; the arm stands still and keeps its grip',
            )
        else:
            self._link.send(self._halt, stamp)

    # -- ends -----------------------------------------------------------------------------------

    def _guard(self, step: Callable[[], None]) -> None:
        try:
            step()
        except StationError as error:
            self._unsafe(error.code, error.message)
        except Exception as error:  # noqa: BLE001 - the arm is held, and the defect is reported
            self._link.defect(traceback.format_exc())
            self._unsafe(
                ErrorCode.POLICY_INTERNAL,
                f'a defect in the executor or the task: {type(error).__name__}: {error}',
            )

    def _watch_senses(self, silence: float) -> None:
        # silence alone would blame the station for a driver that was slow before we were ready
        silence = min(max(silence, self._clock() - self._seen), self._clock() - self._ready_at)
        if silence > self._stale_after:
            self._unsafe(
                ErrorCode.POLICY_OBSERVATION_STALE,
                f'no observation of the arms for {silence:.1f} s; see whether the driver runs',
            )

    def _unsafe(self, code: ErrorCode, message: str) -> None:
        self._finish(Outcome.UNSAFE, code, message)

    def _drop_settle(self) -> None:
        if self._settle is not None:
            self._settle.close()
            self._settle = None

    def _finish(
        self,
        outcome: Outcome,
        code: ErrorCode,
        message: str,
        *,
        can_retry: bool = False,
        settled: Any = None,
    ) -> None:
        if self.state is State.FINISHED:
            return
        if self._settle_start is None:
            self._duration = self._motion.elapsed
        self.state = State.FINISHED
        self._open = None
        self._drop_settle()
        self._link.release()
        self._link.finish(
            EpisodeResult(
                outcome,
                code,
                message,
                can_retry,
                self._start,
                self._settle_start,
                settled,
                self._motion.steps,
                self._misses,
                self._duration,
                self._motion.peak_force,
                self._motion.depth,
            )
        )
