"""The gate of a station that waits for every command: one complete answer to each tick.

A tick is a state of every arm with one new stamp. Without a lease it is answered at once, by a
hold of every arm; with one as soon as the holder's command for every leased arm has come, or the
holder has let its time run out. The clock stands still meanwhile, so nothing can move.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
import math
import time

from enpire_nodes.common.errors import StationError
from enpire_nodes.common.types import ArmState
from enpire_nodes.environment.safety.arm import CommandRequest
from enpire_nodes.environment.safety.gate import Mode, SafetyGate, Target, Timing
from enpire_nodes.environment.safety.latch import EstopLatch
from enpire_nodes.environment.safety.limits import Limits

#: s of wall time for which an answer may be under way before it is given again.
_PATIENCE = 0.1


class LockstepGate(SafetyGate):
    """Answers each tick with exactly one set of targets, stamped like the tick."""

    def __init__(
        self,
        limits: Limits,
        timing: Timing,
        *,
        latch: EstopLatch,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(limits, timing, latch=latch, clock=clock)
        self._open: float | None = None  #: stamp of the tick that is not answered yet
        self._since = -math.inf  #: when that tick, or else the last answer, was seen
        self._answer: list[Target] = []
        self._requests: dict[str, CommandRequest] = {}

    def observe(self, states: Mapping[str, ArmState]) -> list[Target]:
        """Take a tick: states of all arms with one stamp."""
        now = self._clock()
        stamp = next(iter(states.values())).stamp
        if self._sense(states, now):
            self._open, self._since, self._answer = stamp, now, []
            return self._react(now)
        if not self._answer or self._answer[0].stamp != stamp or now - self._since < _PATIENCE:
            return []
        self._since = now  # the driver asks again: the answer did not reach it
        return self._answer

    def tick(self) -> list[Target]:
        """Run the watchdogs; call it every 20 ms of wall time."""
        now = self._clock()
        self._watch(now)
        return self._react(now)

    def _take(self, request: CommandRequest, now: float) -> list[Target]:
        arm = self._arms[request.arm]
        newest = arm.monitor.state
        if newest is not None and request.stamp < newest.stamp:
            return []  # a leftover
        arm.check_repetition(request)
        if self._open is None and newest is not None and request.stamp == newest.stamp:
            return []  # sent together with the lease, for a tick that was answered by a hold
        self._requests[request.arm] = request
        return self._react(now)

    def _react(self, now: float) -> list[Target]:
        """Answer the open tick if that is possible now."""
        if self._open is None:
            return []
        leased = self._lease.arms if self._mode is Mode.PASSING else ()
        requests = [self._requests[name] for name in leased if name in self._requests]
        requests = [request for request in requests if request.stamp == self._open]
        if len(requests) < len(leased):
            return []
        for request in requests:
            try:
                self._forward(request, self._open, now)
            except StationError as violation:
                self._refuse(violation)
                self._trip(violation, request.arm)
                break
        self._answer = [
            Target(name, self._open, arm.target)
            for name, arm in self._arms.items()
            if arm.target is not None
        ]
        self._open, self._since = None, now
        self._requests.clear()
        return self._answer

    def _driver_silence(self, now: float) -> float:
        return now - self._since if self._open is None else 0.0

    def _holder_silence(self, now: float) -> float:
        return 0.0 if self._open is None else now - self._since

    def _driver_restarted(self) -> None:
        for arm in self._arms.values():
            arm.target = None
            arm.anchor()
