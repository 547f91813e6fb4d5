"""The gate of a station whose clock runs on: commands are forwarded when they arrive."""

from __future__ import annotations

from collections.abc import Mapping
import math

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.types import ArmState
from enpire_nodes.environment.safety.arm import CommandRequest
from enpire_nodes.environment.safety.gate import Mode, SafetyGate, Target

#: s of the station's clock, a control period: a commander engages its lease and at once answers
#: the observation before. Commands that answer an older one are its predecessor's.
_PERIOD = 1.0 / 30.0

#: s of wall time between two holds of an arm that nobody moves.
_HOLD_PERIOD = 0.035


class StreamingGate(SafetyGate):
    """Forwards on arrival, and repeats the target of every arm that nobody moves."""

    _held = -math.inf  #: when a tick last published the holds
    _told = -1  #: version that they belonged to

    def observe(self, states: Mapping[str, ArmState]) -> list[Target]:
        """Take measured states; an arm that was unknown until now is held from now on."""
        now = self._clock()
        unknown = any(
            self._arms[name].target is None or self._arms[name].went_back(state)
            for name, state in states.items()
        )
        version = self.version
        self._sense(states, now)
        return self._react(now) if unknown or self.version != version else []

    def tick(self) -> list[Target]:
        """Run the watchdogs, and hold at every other call; call it every 20 ms of wall time."""
        now = self._clock()
        self._watch(now)
        for arm in self._arms.values():
            if arm.monitor.age(now) > self._timing.forget:
                arm.forget()
        if now - self._held < _HOLD_PERIOD and self.version == self._told:
            return []
        self._held, self._told = now, self.version
        return self._react(now)

    def _take(self, request: CommandRequest, now: float) -> list[Target]:
        arm = self._arms[request.arm]
        if request.stamp < arm.leased_from - _PERIOD:
            self._refuse(_too_old(request, 'from before the lease'))
            return []
        arm.check_rate(request, now)
        age = arm.monitor.command_age(request.stamp, now)
        if age > self._timing.command_age:
            self._refuse(_too_old(request, f'{age:.2f} s old'))
            return []
        return [self._forward(request, now, now)]

    def _react(self, now: float) -> list[Target]:
        moved = self._lease.arms if self._mode is Mode.PASSING else ()
        return [
            Target(name, arm.monitor.state.stamp, arm.target)
            for name, arm in self._arms.items()
            if name not in moved and arm.target is not None and arm.monitor.state is not None
        ]

    def _driver_silence(self, now: float) -> float:
        return max(arm.monitor.age(now) for arm in self._arms.values())

    def _holder_silence(self, now: float) -> float:
        return self._lease.silence(now)

    def _driver_restarted(self) -> None:
        for arm in self._arms.values():
            arm.forget()


def _too_old(request: CommandRequest, how: str) -> StationError:
    return StationError(
        ErrorCode.GATE_COMMAND_STALE,
        f'{request.arm} arm: the command answers an observation {how}; stamp each command with '
        'the stamp of the observation that it answers',
    )
