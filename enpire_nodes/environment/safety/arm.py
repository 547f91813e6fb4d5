"""One arm behind the gate: what it senses, what it was told last, and where it is held."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
import math

import numpy as np

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.geometry import rotation_angle, slerp
from enpire_nodes.common.types import ArmCommand, ArmState
from enpire_nodes.environment.safety.filter import ArmFilter, Filtered, is_sane
from enpire_nodes.environment.safety.limits import length, Limits
from enpire_nodes.environment.safety.monitor import ArmMonitor

#: N, fingers that push harder than this when the gate first sees them hold something.
_SQUEEZING = 2.0
#: m, how much narrower than measured the fingers are told to close to keep an unknown grip.
_GRIP_LEAD = 0.01
#: Commands of one commander at 30 Hz take 0.97 s; those of two take half of that. A driver may be
#: silent for 0.2 s meanwhile, in which commanders answer one stamp again and again.
_WINDOW, _SHORTEST_WINDOW = 30, 0.6


@dataclass(frozen=True, slots=True, eq=False)
class CommandRequest:
    """What a commander asks of one arm.

    :param arm: its name.
    :param stamp: s of the station's clock, of the observation that the command answers.
    :param frame: that the target is expressed in.
    :param command: the target.
    """

    arm: str
    stamp: float
    frame: str
    command: ArmCommand

    def same(self, other: CommandRequest) -> bool:
        """Say whether both ask for the same."""
        mine, others = self.command, other.command
        return (
            self.frame == other.frame
            and np.array_equal(mine.position, others.position)
            and np.array_equal(mine.quaternion, others.quaternion)
            and mine.gripper_width == others.gripper_width
            and mine.gripper_effort == others.gripper_effort
        )


class GuardedArm:
    """Keeps the target that the driver has, and moves it only through the filter.

    :param name: of the arm.
    :param limits: of the station.
    """

    def __init__(self, name: str, limits: Limits) -> None:
        self._name = name
        self._limits = limits
        self._filter = ArmFilter(name, limits)
        self._sent: deque[tuple[float, float]] = deque(maxlen=_WINDOW)
        self._request: CommandRequest | None = None
        self._moved = -math.inf
        self.monitor = ArmMonitor(name, limits)
        self.target: ArmCommand | None = None  #: what the driver was told last
        self.leased_from = -math.inf  #: newest stamp when the lease began

    def observe(self, state: ArmState, now: float) -> bool:
        """Take a measured state; the first one decides where the arm is held. Say if it counts."""
        if self.went_back(state):
            self.forget()
        if not self.monitor.observe(state, now):
            return False
        if self.target is None:
            self.anchor()
        return True

    def went_back(self, state: ArmState) -> bool:
        """Say whether ``state`` is older than the newest one, as after a restart of the driver."""
        known = self.monitor.state
        return known is not None and state.stamp < known.stamp

    def forget(self) -> None:
        """Give up the target and what was measured: the driver is gone or is another one."""
        self.monitor.forget()
        self.target = None

    def anchor(self) -> None:
        """Hold the arm where it is measured; the gripper keeps its target, and so its grip.

        One wrong measurement must not send an arm anywhere, so the target moves to the measured
        pose only as far as it may lead it.
        """
        state, target = self.monitor.state, self.target
        if state is None:
            return
        quaternion = state.quaternion / length(state.quaternion)
        if target is None:
            self.target = ArmCommand(state.position, quaternion, *self._unknown_grip(state))
            return
        limits = self._limits.motion
        distance = length(state.position - target.position)
        angle = rotation_angle(quaternion, target.quaternion)
        share = min(1.0, limits.lead / max(distance, 1e-9))
        turn = min(1.0, limits.lead_angle / max(angle, 1e-9))
        self.target = replace(
            target,
            position=target.position + share * (state.position - target.position),
            quaternion=slerp(target.quaternion, quaternion, turn),
        )

    def begin_lease(self) -> None:
        """Forget the previous commander."""
        state = self.monitor.state
        self.leased_from = -math.inf if state is None else state.stamp
        self._sent.clear()
        self._request = None
        self._moved = -math.inf

    def form_fault(self, request: CommandRequest) -> StationError | None:
        """Return what is wrong with a command whoever sent it: NaN, or another frame."""
        if not is_sane(request.command):
            return StationError(
                ErrorCode.GATE_COMMAND_NOT_FINITE,
                f'{self._name} arm: the command holds NaN or infinity; repair the commander',
            )
        if request.frame != self._limits.frame:
            return StationError(
                ErrorCode.GATE_COMMAND_WRONG_FRAME,
                f'{self._name} arm: the command is in frame {request.frame!r}, but commands '
                f'must be in {self._limits.frame!r}; transform it before it is sent',
            )
        return None

    def check_rate(self, request: CommandRequest, now: float) -> None:
        """Notice a second publisher where commands have no common tick, by twice the rate.

        :raises StationError: ``GATE_LEASE_CONFLICT``: commands came faster than one commander may
            send them, both by their stamps and by their arrival.
        """
        self._sent.append((request.stamp, now))
        if len(self._sent) < _WINDOW:
            return
        for times in zip(*self._sent, strict=True):
            if max(times) - min(times) > _SHORTEST_WINDOW:
                return
        raise self._second_sender()

    def check_repetition(self, request: CommandRequest) -> None:
        """Notice a second publisher where every tick is answered once, by a second answer.

        :raises StationError: ``GATE_LEASE_CONFLICT``.
        """
        before, self._request = self._request, request
        if before is not None and before.stamp == request.stamp and not before.same(request):
            raise self._second_sender()

    def _second_sender(self) -> StationError:
        return StationError(
            ErrorCode.GATE_LEASE_CONFLICT,
            f'{self._name} arm: a second node publishes commands beside the holder of the lease; '
            'stop it',
        )

    def forward(self, request: CommandRequest, when: float) -> Filtered:
        """Filter a command and make it the target; ``when`` is s of the clock of the motion.

        :raises StationError: the command is a violation; the target stays.
        """
        if self.target is None or self.monitor.state is None:
            raise StationError(
                ErrorCode.GATE_DRIVER_STALE, f'{self._name} arm: no state was measured yet'
            )
        filtered = self._filter.check(
            request.command,
            last=self.target,
            state=self.monitor.state,
            elapsed=when - self._moved,
        )
        self._moved = when
        self.target = filtered.command
        return filtered

    def _unknown_grip(self, state: ArmState) -> tuple[float, float]:
        """Return the width in m and effort in N that keep what the fingers may hold."""
        width, effort = state.gripper_width, self._limits.gripper.hold_effort
        if state.gripper_effort > _SQUEEZING:
            width, effort = width - _GRIP_LEAD, max(effort, state.gripper_effort)
        return self._filter.clamp_fingers(width, effort)
