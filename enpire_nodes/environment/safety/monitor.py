"""What is known of one arm: its newest state, how old that is, and whether it is within limits."""

from __future__ import annotations

from collections import deque
import math

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.geometry import rotation_angle
from enpire_nodes.common.types import ArmState
from enpire_nodes.environment.safety.filter import is_sane
from enpire_nodes.environment.safety.limits import length, Limits

#: s of the station's clock over which the measured speed is averaged, against sensor noise.
_SPEED_WINDOW = 0.06
#: States remembered, to tell how long ago the observation that a command answers arrived.
_HISTORY = 256


class ArmMonitor:
    """Watches the states of one arm.

    Ages are wall seconds between arrivals, by the clock of the caller; speeds are taken by the
    stamps of the states, which is the clock that the robot moves by.
    """

    def __init__(self, name: str, limits: Limits) -> None:
        self._name = name
        self._limits = limits
        self._history: deque[tuple[float, float]] = deque(maxlen=_HISTORY)
        self._poses: deque[ArmState] = deque()
        self.forget()

    def forget(self) -> None:
        """Start anew, as after the driver was replaced."""
        self.state: ArmState | None = None
        self.arrival = -math.inf
        self._speeds = (0.0, 0.0)
        self._history.clear()
        self._poses.clear()

    def observe(self, state: ArmState, now: float) -> bool:
        """Take a state that arrived at ``now``; one with NaN, or a repeated one, does not count.

        A state that went back in time means a new driver: what was known before is forgotten.
        """
        if not is_sane(state) or length(state.quaternion) < 0.5:
            return False
        if self.state is not None:
            if state.stamp == self.state.stamp:
                return False
            if state.stamp < self.state.stamp:
                self.forget()
        self.state, self.arrival = state, now
        self._history.append((state.stamp, now))
        self._measure_speed(state)
        return True

    def age(self, now: float) -> float:
        """Return the wall seconds since the newest state arrived; infinite before the first."""
        return now - self.arrival

    def command_age(self, stamp: float, now: float) -> float:
        """Return how long ago, in wall seconds, the observation of ``stamp`` arrived.

        Infinite when no state that old is remembered, and when the stamp lies more than 1 s ahead
        of the newest state.
        """
        if self.state is None or stamp > self.state.stamp + 1.0:
            return math.inf
        for known, arrival in reversed(self._history):
            if known <= stamp:
                return now - arrival
        return math.inf

    def violation(self, *, moving: bool) -> StationError | None:
        """Return what is wrong with the newest state, if anything.

        :param moving: commands are being forwarded, so that the measured speed counts too.
        """
        if self.state is None:
            return None
        wrench, motion = self._limits.wrench, self._limits.motion
        force = length(self.state.force)
        torque = length(self.state.torque)
        if force > wrench.hard_force or torque > wrench.hard_torque:
            return StationError(
                ErrorCode.GATE_FORCE_EXCEEDED,
                f'{self._name} arm: measured {force:.1f} N and {torque:.2f} N m; allowed are '
                f'{wrench.hard_force:g} N and {wrench.hard_torque:g} N m. Free the arm',
            )
        speed, angular = self._speeds
        if moving and (speed > motion.measured_speed or angular > motion.measured_angular_speed):
            return StationError(
                ErrorCode.GATE_SPEED_TOO_HIGH,
                f'{self._name} arm: measured {speed:.2f} m/s and {angular:.1f} rad/s; allowed are '
                f'{motion.measured_speed:g} m/s and {motion.measured_angular_speed:g} rad/s. '
                'Check that the driver follows its targets',
            )
        return None

    def _measure_speed(self, state: ArmState) -> None:
        poses = self._poses
        poses.append(state)
        while len(poses) > 2 and state.stamp - poses[1].stamp >= _SPEED_WINDOW:
            poses.popleft()
        seconds = state.stamp - poses[0].stamp
        if seconds < _SPEED_WINDOW:
            self._speeds = (0.0, 0.0)
            return
        distance = length(state.position - poses[0].position)
        angle = rotation_angle(state.quaternion, poses[0].quaternion)
        self._speeds = (distance / seconds, angle / seconds)
