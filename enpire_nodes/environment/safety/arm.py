"""One arm behind the gate: what it senses, what it was told last, and where it is held."""

from __future__ import annotations

from dataclasses import dataclass
import math

import numpy as np

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.types import ArmCommand, ArmState
from enpire_nodes.environment.safety.filter import ArmFilter, Filtered, is_sane
from enpire_nodes.environment.safety.limits import Limits
from enpire_nodes.environment.safety.monitor import ArmMonitor

#: N, fingers that push harder than this when the gate first sees them hold something.
_SQUEEZING = 2.0
#: m, how much narrower than measured the fingers are told to close to keep an unknown grip.
_GRIP_LEAD = 0.01
#: Messages of one publisher that may be lost in a row before its numbers look like another's.
_LOST_MESSAGES = 10


@dataclass(frozen=True, slots=True, eq=False)
class CommandRequest:
    """What a commander asks of one arm.

    :param arm: its name.
    :param stamp: s of the station's clock, of the observation that the command answers.
    :param frame: that the target is expressed in.
    :param command: the target.
    :param sequence: publication numbers of the messages, which every publisher counts for itself;
        empty where the middleware has none.
    """

    arm: str
    stamp: float
    frame: str
    command: ArmCommand
    sequence: tuple[int, ...] = ()


class GuardedArm:
    """Keeps the target that the driver has, and moves it only through the filter.

    :param name: of the arm.
    :param limits: of the station.
    """

    def __init__(self, name: str, limits: Limits) -> None:
        self._name = name
        self._frame = limits.frame
        self._hold_effort = limits.gripper.hold_effort
        self._filter = ArmFilter(name, limits)
        self._sequence: tuple[int, ...] = ()
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
        """Hold the arm where it is measured; the gripper keeps its target, and so its grip."""
        state = self.monitor.state
        if state is None:
            return
        if self.target is not None:
            width, effort = self.target.gripper_width, self.target.gripper_effort
        elif state.gripper_effort > _SQUEEZING:
            width = state.gripper_width - _GRIP_LEAD
            effort = max(self._hold_effort, state.gripper_effort)
        else:
            width, effort = state.gripper_width, self._hold_effort
        width, effort = self._filter.clamp_fingers(width, effort)
        norm = float(np.linalg.norm(state.quaternion))
        self.target = ArmCommand(state.position, state.quaternion / norm, width, effort)

    def begin_lease(self) -> None:
        """Forget the previous commander."""
        state = self.monitor.state
        self.leased_from = -math.inf if state is None else state.stamp
        self._sequence = ()
        self._moved = -math.inf

    def form_fault(self, request: CommandRequest) -> StationError | None:
        """Return what is wrong with a command whoever sent it: NaN, or another frame."""
        if not is_sane(request.command):
            return StationError(
                ErrorCode.GATE_COMMAND_NOT_FINITE,
                f'{self._name} arm: the command holds NaN or infinity; repair the commander',
            )
        if request.frame != self._frame:
            return StationError(
                ErrorCode.GATE_COMMAND_WRONG_FRAME,
                f'{self._name} arm: the command is in frame {request.frame!r}, but commands '
                f'must be in {self._frame!r}; transform it before it is sent',
            )
        return None

    def check_sender(self, request: CommandRequest) -> None:
        """Follow the publisher's own numbering of its messages.

        :raises StationError: ``GATE_LEASE_CONFLICT``, the numbers are not those of one publisher.
        """
        if self._sequence and request.sequence:
            for before, number in zip(self._sequence, request.sequence, strict=True):
                if not 0 < number - before <= _LOST_MESSAGES:
                    raise StationError(
                        ErrorCode.GATE_LEASE_CONFLICT,
                        f'{self._name} arm: a second node publishes commands beside the holder '
                        'of the lease; stop it',
                    )
        self._sequence = request.sequence

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
