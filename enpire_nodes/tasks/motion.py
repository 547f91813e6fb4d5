"""Pieces of programs: moving one hand, gripping, waiting, and taking fresh pictures.

Every method that takes time is a generator to be used with ``yield from``; it yields one command
a control period and keeps the newest observation in :attr:`Hand.observation`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from typing import TypeVar

import numpy as np

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.geometry import rotation_angle, slerp
from enpire_nodes.common.types import ArmCommand, ArmState, Command, Frame, Observation

Result = TypeVar('Result')
Steps = Generator[Command | None, Observation, Result]

PERIOD = 1.0 / 30.0  # s, control period
_REACH = 0.02  # m, the most that the steady error of the arm is corrected by
_GAIN = 0.25  # of the error, corrected in each control period while standing


class Hand:
    """One arm and its gripper, driven through a program.

    :param arm: its name.
    :param squeeze: (m, N) width and effort to keep commanding if it starts out holding something.
    """

    def __init__(self, arm: str, *, squeeze: tuple[float, float]) -> None:
        self.arm, self._squeeze = arm, squeeze
        self.observation: Observation | None = None
        self._goal = np.zeros(3)
        self._quaternion = np.array([0.0, 0.0, 0.0, 1.0])
        self._correction = np.zeros(3)
        self._width, self._effort = squeeze
        self._tare = np.zeros(3)

    def begin(self) -> Steps[None]:
        """Take the first observation; stay where the arm is, with the grip that it has."""
        self.observation = yield None
        self.stay()
        state = self.state
        if state.gripper_effort < 0.3 * self._squeeze[1]:
            self._width, self._effort = state.gripper_width, self._squeeze[1]
        self.tare()

    @property
    def state(self) -> ArmState:
        """The arm as last measured."""
        try:
            return self.observation.arms[self.arm]
        except KeyError as error:
            raise StationError(
                ErrorCode.RESET_INTERNAL, f'the station has no arm {self.arm!r}'
            ) from error

    @property
    def now(self) -> float:
        """S of the station's clock."""
        return self.observation.stamp

    @property
    def position(self) -> np.ndarray:
        """The (3,) m that is measured."""
        return self.state.position

    @property
    def goal(self) -> np.ndarray:
        """The (3,) m where the hand is meant to be."""
        return self._goal.copy()

    @property
    def force(self) -> np.ndarray:
        """The (3,) N on the tool since the last tare."""
        return self.state.force - self._tare

    def tare(self) -> None:
        """Call the force of this instant zero."""
        self._tare = self.state.force.copy()

    def stay(self) -> None:
        """Make the measured pose the goal."""
        self._goal, self._quaternion = self.position.copy(), self.state.quaternion.copy()
        self._correction = np.zeros(3)

    def step(self) -> Steps[None]:
        """Command the present goal for one control period."""
        self.observation = yield {
            self.arm: ArmCommand(
                self._goal + self._correction, self._quaternion, self._width, self._effort
            )
        }

    def dwell(self, seconds: float) -> Steps[None]:
        """Stay for a while."""
        end = self.now + seconds - 0.5 * PERIOD
        while self.now < end:
            yield from self.step()

    def move(
        self,
        position: Iterable[float],
        quaternion: np.ndarray | None = None,
        *,
        speed: float,
        turn_speed: float = 1.5,
        tolerance: float = 0.0015,
        patience: float = 0.7,
        until: Callable[[], bool] | None = None,
    ) -> Steps[bool]:
        """Go along a straight line, smoothly, then take out the steady error.

        :param position: (3,) m.
        :param quaternion: (4,) xyzw; None keeps the orientation.
        :param speed: m/s on average.
        :param turn_speed: rad/s on average.
        :param tolerance: m between the goal and the measured position.
        :param patience: s that it may take to get within it after the line has ended.
        :param until: asked every period; true stops the hand where it is.
        :return: whether the hand got there.
        """
        start, goal = self._goal.copy(), np.array(list(position), dtype=float)
        turned = self._quaternion.copy()
        target = turned if quaternion is None else np.asarray(quaternion, dtype=float)
        seconds = max(
            float(np.linalg.norm(goal - start)) / speed,
            rotation_angle(turned, target) / turn_speed,
        )
        steps = max(1, int(np.ceil(seconds / PERIOD)))
        for index in range(steps):
            share = (index + 1) / steps
            smooth = share * share * (3.0 - 2.0 * share)
            self._goal = start + smooth * (goal - start)
            self._quaternion = slerp(turned, target, smooth)
            yield from self.step()
            if until is not None and until():
                self.hold_here()
                return False
        end = self.now + patience
        while True:
            error = self._goal - self.position
            if float(np.linalg.norm(error)) < tolerance:
                return True
            if self.now >= end:
                return False
            self._correction = self._correction + _GAIN * error
            size = float(np.linalg.norm(self._correction))
            self._correction *= min(1.0, _REACH / max(size, 1e-9))
            yield from self.step()
            if until is not None and until():
                self.hold_here()
                return False

    def hold_here(self) -> None:
        """Make the measured position the goal; nothing is pressed on any longer."""
        self._goal = self.position.copy()
        self._correction = np.zeros(3)

    def grip(self, width: float, effort: float, *, seconds: float = 0.8) -> Steps[None]:
        """Drive the fingers, and wait until they stand still.

        :param width: m.
        :param effort: N, the most that they may squeeze with.
        :param seconds: the longest to wait.
        """
        self._width, self._effort = width, effort
        end, last, still = self.now + seconds, self.state.gripper_width, 0
        while self.now < end and still < 4:
            yield from self.step()
            moved = abs(self.state.gripper_width - last)
            still = still + 1 if moved < 0.0004 else 0
            last = self.state.gripper_width

    def pictures(
        self,
        cameras: Iterable[str],
        look: Callable[[dict[str, Frame]], Result],
        *,
        count: int = 1,
        wait: float = 1.0,
    ) -> Steps[list[Result]]:
        """Stand still until every camera has shown ``count`` pictures exposed from now on.

        :param cameras: names.
        :param look: called with one frame of each camera as soon as they are there: looking at
            all of them in one control period would make that period late.
        :param count: of such sets.
        :param wait: s without a new picture of a camera after which it is given up.
        :return: what ``look`` said of each set, oldest first.
        :raises StationError: a camera is missing, has stopped, or repeats one picture.
        """
        names = list(cameras)
        since, taken = self.now, {name: [] for name in names}
        last_new = dict.fromkeys(names, self.now)
        previous = {name: self.observation.frames.get(name) for name in names}
        seen: list[Result] = []
        while len(seen) < count:
            yield from self.step()
            for name in names:
                frame = self.observation.frames.get(name)
                before = previous[name]
                if frame is not None and (before is None or frame.stamp > before.stamp):
                    if before is not None and same_picture(frame, before):
                        raise StationError(
                            ErrorCode.RESET_CAMERA_STALE,
                            f'camera {name!r} repeats one picture; restart its driver',
                        )
                    previous[name] = frame
                    if frame.stamp >= since:  # one that lags for ever is waited for no longer
                        last_new[name] = self.now
                        taken[name].append(frame)
                if self.now - last_new[name] > wait:
                    raise _blind(name, self.now - last_new[name], frame)
            if all(len(frames) > len(seen) for frames in taken.values()):
                seen.append(look({name: taken[name][len(seen)] for name in names}))
        return seen


def same_picture(first: Frame, second: Frame) -> bool:
    """Tell whether two pictures are equal to the bit, which noise rules out in a live camera."""
    return first.image is second.image or np.array_equal(first.image, second.image)


def _blind(name: str, age: float, frame: Frame | None) -> StationError:
    if frame is None:
        return StationError(
            ErrorCode.RESET_CAMERA_MISSING,
            f'camera {name!r} delivers no pictures; start its driver or check its cable',
        )
    return StationError(
        ErrorCode.RESET_CAMERA_STALE,
        f'camera {name!r} has shown nothing of the last {age:.1f} s; restart its driver, or '
        'set its clock',
    )
