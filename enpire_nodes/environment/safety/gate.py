"""The state machine of the safety gate: measured states and commands in, targets out.

Pure and without ROS: the clock is injected, and every input returns the targets that must be
published for it. See ``SafetyState.msg`` for the modes and ``MotionLease.msg`` for the lease. What
differs between the station's paces is in :mod:`.streaming` and :mod:`.lockstep`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
import time

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.types import ArmCommand, ArmState
from enpire_nodes.environment.safety.arm import CommandRequest, GuardedArm
from enpire_nodes.environment.safety.latch import EstopLatch, LatchState
from enpire_nodes.environment.safety.lease import Heartbeats, LeaseKeeper, LeaseRequest
from enpire_nodes.environment.safety.limits import Limits

#: s between two ticks after which the gate itself was kept from running: what came meanwhile
#: waits to be read, so silence is judged at the next tick.
_STARVED = 0.05


class Mode(IntEnum):
    """The modes of ``SafetyState.msg``."""

    HOLDING = 1
    PASSING = 2
    TRIPPED = 3
    ESTOPPED = 4


@dataclass(frozen=True, slots=True)
class Timing:
    """When silence is taken for a fault. All in wall seconds of a monotonic clock.

    :param driver: fully qualified name of the driver, whose heartbeat is required; empty for a
        driver that sends none.
    :param command_timeout: silence of the holder of the lease after which it loses it.
    :param command_age: age of the observation that a command may still answer (not in lockstep).
    :param driver_timeout: silence of the driver after which it is stale.
    :param heartbeat_timeout: age at which a heartbeat of the holder or the driver is too old.
    :param forget: age of the newest state after which its arm is no longer held but left to the
        driver's own watchdog, because the pose may be that of a driver that is gone.
    """

    driver: str = ''
    command_timeout: float = 0.1
    command_age: float = 0.25
    driver_timeout: float = 0.2
    heartbeat_timeout: float = 1.0
    forget: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """What must be published for one arm, with a stamp in s of the station's clock."""

    arm: str
    stamp: float
    command: ArmCommand


@dataclass(frozen=True, slots=True)
class Status:
    """The content of a ``SafetyState`` message."""

    mode: Mode
    error_code: ErrorCode
    message: str
    holder: str
    lease: int
    forwarded: int
    limited: int
    refused: int
    limits_digest: str


class SafetyGate(ABC):
    """Decides, for every arm and at every moment, what the driver is told.

    :param limits: of the station; they name its arms.
    :param timing: of the watchdogs.
    :param latch: memory of the emergency stop; it is read here.
    :param clock: monotonic wall seconds.
    :raises StationError: the latch cannot be kept, so that the gate must not start.
    """

    def __init__(
        self,
        limits: Limits,
        timing: Timing,
        *,
        latch: EstopLatch,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limits, self._timing, self._clock, self._latch = limits, timing, clock, latch
        self._arms = {name: GuardedArm(name, limits) for name in limits.arms}
        self._heartbeats = Heartbeats()
        self._lease = LeaseKeeper(
            self._arms, self._heartbeats, heartbeat_timeout=timing.heartbeat_timeout
        )
        self._holder, self._number = '', 0
        self._forwarded = self._limited = self._refused = 0
        self._note = ''
        self._line_open = False
        self._watched, self._starved = clock(), False
        self._active = True
        self.version = 0  #: counts the changes that are worth publishing at once
        self.last_refusal: StationError | None = None
        remembered = latch.open()
        if remembered.estopped:
            self._set(Mode.ESTOPPED, ErrorCode.GATE_ESTOPPED, remembered.reason)
        else:
            self._set(Mode.HOLDING, ErrorCode.NONE, 'nobody has the lease')

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms that the gate guards."""
        return tuple(self._arms)

    @property
    def status(self) -> Status:
        """All that is published about the gate."""
        return Status(
            mode=self._mode,
            error_code=self._code,
            message=f'{self._message}. {self._note}' if self._note else self._message,
            holder=self._holder,
            lease=self._number,
            forwarded=self._forwarded,
            limited=self._limited,
            refused=self._refused,
            limits_digest=self._limits.digest,
        )

    @abstractmethod
    def observe(self, states: Mapping[str, ArmState]) -> list[Target]:
        """Take measured states of arms that have one common stamp."""

    @abstractmethod
    def tick(self) -> list[Target]:
        """Run the watchdogs; call it every 20 ms of wall time."""

    def request_lease(self, request: LeaseRequest) -> list[Target]:
        """Give the lease to a commander, or take it back."""
        now, held = self._clock(), self._lease.current
        if not request.engaged:
            if self._lease.release(request):
                self._set(Mode.HOLDING, ErrorCode.NONE, f'{request.holder} returned the lease')
            return self._react(now)
        try:
            if held is None and (blocked := self._blocked(now)) is not None:
                raise blocked
            self._lease.engage(request, now)
        except StationError as refusal:
            self._refuse(refusal)
            note = f'Refused: {refusal.message}'
            if note != self._note:  # a commander that asks in a loop shall not be answered in one
                self._note = note
                self.version += 1
            return []
        if held != request:
            for name in request.arms:
                self._arms[name].begin_lease()
            self._holder, self._number = request.holder, request.number
            self._set(Mode.PASSING, ErrorCode.NONE, f'{request.holder} has the lease')
        return self._react(now)

    def command(self, request: CommandRequest) -> list[Target]:
        """Check a command; forward it, shorten it, refuse it, or trip."""
        now, arm = self._clock(), self._arms.get(request.arm)
        if arm is None:
            return []
        fault = arm.form_fault(request)
        if self._mode is not Mode.PASSING or request.arm not in self._lease.arms:
            self._refuse(
                fault
                or StationError(
                    ErrorCode.GATE_NO_LEASE,
                    f'{request.arm} arm: a command came without a lease for it; engage one on '
                    '`command/lease` first',
                )
            )
            return []
        try:
            if fault is not None:
                raise fault
            return self._take(request, now)
        except StationError as violation:
            self._refuse(violation)
            self._trip(violation, request.arm)
            return self._react(now)

    def heartbeat(self, node: str, incarnation: int) -> list[Target]:
        """Note that a node is alive."""
        now = self._clock()
        before = self._heartbeats.incarnation(node)
        self._heartbeats.beat(node, incarnation, now)
        if node == self._timing.driver and before not in (None, incarnation):
            self._trip(StationError(ErrorCode.GATE_DRIVER_STALE, f'{node} died and came back'))
            self._driver_restarted()
        elif node == self._holder and (lost := self._lease.lost(now)) is not None:
            self._trip(lost)
        else:
            return []
        return self._react(now)

    def node_lost(self, node: str, message: str) -> list[Target]:
        """End the lease, because a node of the station died or can no longer work."""
        if self._mode is not Mode.PASSING:
            return []
        self._trip(StationError(ErrorCode.RUNNER_NODE_LOST, f'{node}: {message}'))
        return self._react(self._clock())

    def estop(self, reason: str) -> list[Target]:
        """Latch the emergency stop; the first reason stays."""
        if self._mode is Mode.ESTOPPED:
            return []
        self._hold_measured(self._lease.arms)
        self._lease.drop()
        message = f'{reason}. Look at the robot, then call ~/rearm'
        try:
            self._latch.save(LatchState(estopped=True, reason=message))
        except StationError as error:
            message += f'. A restart of the gate will forget this: {error.message}'
        self._set(Mode.ESTOPPED, ErrorCode.GATE_ESTOPPED, message)
        return self._react(self._clock())

    def line(self, *, is_open: bool) -> list[Target]:
        """Mirror a hardware emergency-stop line; closing it again re-arms nothing."""
        self._line_open = is_open
        return self.estop('the hardware emergency-stop line opened') if is_open else []

    def rearm(self) -> None:
        """Leave ``ESTOPPED`` for ``HOLDING``, which is an act of a person.

        :raises StationError: the line is still open, or the latch cannot be written.
        """
        if self._mode is not Mode.ESTOPPED:
            return
        if self._line_open:
            raise StationError(
                ErrorCode.GATE_ESTOPPED, 'the hardware emergency-stop line is open; close it first'
            )
        self._latch.save(LatchState(estopped=False, reason=''))
        self._set(Mode.HOLDING, ErrorCode.NONE, 're-armed; nobody has the lease')

    def activate(self) -> None:
        """Give leases from now on."""
        self._active = True
        self._forwarded = self._limited = self._refused = 0

    def deactivate(self) -> list[Target]:
        """Give no lease from now on; the arms stay held."""
        self._active = False
        if self._mode is Mode.PASSING:
            self._trip(StationError(ErrorCode.GATE_NO_LEASE, 'the gate was deactivated'))
        return self._react(self._clock())

    def missing(self) -> str:
        """Return what keeps a lease from being given now; empty when nothing does."""
        blocked = self._blocked(self._clock())
        return '' if blocked is None else blocked.message

    @abstractmethod
    def _take(self, request: CommandRequest, now: float) -> list[Target]:
        """Deal with a well-formed command of the holder; may raise its violation."""

    @abstractmethod
    def _react(self, now: float) -> list[Target]:
        """Return what must be published after the mode may have changed."""

    @abstractmethod
    def _driver_silence(self, now: float) -> float:
        """Return for how many wall seconds the driver has owed a state."""

    @abstractmethod
    def _holder_silence(self, now: float) -> float:
        """Return for how many wall seconds the holder has owed a command."""

    @abstractmethod
    def _driver_restarted(self) -> None:
        """Give up the targets that were meant for the driver before."""

    def _watch(self, now: float) -> None:
        """Trip if the holder or the driver has been silent for too long."""
        starved = now - self._watched > _STARVED and not self._starved
        self._watched, self._starved = now, starved
        if self._mode is not Mode.PASSING or starved:
            return
        fault = self._lease.lost(now) or self._driver_fault(now)
        silence = self._holder_silence(now)
        if fault is None and silence > self._timing.command_timeout:
            fault = StationError(
                ErrorCode.GATE_COMMAND_STALE,
                f'{self._holder} has the lease and sent no command that could be forwarded for '
                f'{silence:.2f} s',
            )
        if fault is not None:
            self._trip(fault)

    def _sense(self, states: Mapping[str, ArmState], now: float) -> bool:
        """Let the arms take their states, and trip if one is out of limits; say if all are new."""
        new = True
        for name, state in states.items():
            arm = self._arms[name]
            if arm.went_back(state):
                self._trip(StationError(ErrorCode.GATE_DRIVER_STALE, 'the driver started anew'))
            new &= arm.observe(state, now)
            if self._mode in (Mode.HOLDING, Mode.PASSING):
                fault = arm.monitor.violation(moving=self._mode is Mode.PASSING)
                if fault is not None:
                    self._trip(fault, name)
        return new

    def _driver_fault(self, now: float) -> StationError | None:
        silence = self._driver_silence(now)
        if silence > self._timing.driver_timeout:
            return StationError(
                ErrorCode.GATE_DRIVER_STALE,
                f'the driver reported no state of every arm for {silence:.2f} s; see whether it '
                'runs',
            )
        driver = self._timing.driver
        if driver and self._heartbeats.age(driver, now) > self._timing.heartbeat_timeout:
            return StationError(
                ErrorCode.GATE_DRIVER_STALE, f'{driver} sends no heartbeat; see whether it runs'
            )
        return None

    def _blocked(self, now: float) -> StationError | None:
        """Return why nobody can have a lease now."""
        if self._mode is Mode.ESTOPPED:
            return StationError(ErrorCode.GATE_ESTOPPED, self._message)
        if not self._active:
            return StationError(ErrorCode.GATE_NO_LEASE, 'the gate is inactive; activate it')
        faults = (arm.monitor.violation(moving=False) for arm in self._arms.values())
        return self._driver_fault(now) or next((fault for fault in faults if fault), None)

    def _forward(self, request: CommandRequest, when: float, now: float) -> Target:
        """Filter a command; ``when`` is s of the clock that the robot moves by."""
        filtered = self._arms[request.arm].forward(request, when)
        self._lease.feed(request.arm, now)
        self._forwarded += 1
        self._limited += bool(filtered.limited)
        return Target(request.arm, request.stamp, filtered.command)

    def _trip(self, fault: StationError, *arms: str) -> None:
        """End the lease and hold its arms, and those at fault, where they are measured."""
        if self._mode not in (Mode.HOLDING, Mode.PASSING):
            return
        if self._mode is Mode.HOLDING and not arms:
            return
        self._hold_measured({*self._lease.arms, *arms})
        self._lease.drop()
        self._set(
            Mode.TRIPPED,
            fault.code,
            f'{fault.message}. The arms are held; once the cause is gone a new lease moves them',
        )

    def _hold_measured(self, arms: Iterable[str]) -> None:
        for name in arms:
            self._arms[name].anchor()

    def _refuse(self, refusal: StationError) -> None:
        self._refused += 1
        self.last_refusal = refusal

    def _set(self, mode: Mode, code: ErrorCode, message: str) -> None:
        self._mode, self._code, self._message, self._note = mode, code, message, ''
        self.version += 1
