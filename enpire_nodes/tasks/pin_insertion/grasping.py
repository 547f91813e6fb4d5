"""Handling the pin: fetching it from above, seating it in the cradle, standing it up."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from enpire_nodes.common.geometry import matrix_from_quaternion, quaternion_from_matrix
from enpire_nodes.tasks.motion import Hand, Steps
from enpire_nodes.tasks.pin_insertion.classify import squeezes
from enpire_nodes.tasks.pin_insertion.clearance import Clearance
from enpire_nodes.tasks.pin_insertion.pin_pose import PinEstimate
from enpire_nodes.tasks.pin_insertion.settings import PinInsertionSettings

#: Width in m that is commanded while holding: less than the pin, so that the effort limits.
SQUEEZE = 0.004
_TOUCH = 4.0  # N, upward: the hand or the pin has met something
_PITCH = np.deg2rad(75.0)  # of the hand that stands a lying pin up, from straight down
_FROM_END = (0.020, 0.026, 0.032)  # m, where a lying pin is gripped, the best place first
_FEEL_FOR = 0.015  # m below the pin's axis, how far the hand is lowered to meet the floor
_NARROW = 0.030  # m, how far the hand opens around a lying pin


def hand_orientation(heading: float, pitch: float = 0.0) -> np.ndarray:
    """Return the orientation (4,) xyzw of a hand.

    :param heading: rad about +z, where the hand points when it is pitched up; its wrist camera
        looks from that side when it points down.
    :param pitch: rad, 0 straight down, pi / 2 level.
    """
    ahead = np.array([np.cos(heading), np.sin(heading), 0.0])
    up = np.array([0.0, 0.0, 1.0])
    tool_z = -up * np.cos(pitch) + ahead * np.sin(pitch)
    tool_x = -ahead * np.cos(pitch) - up * np.sin(pitch)
    return quaternion_from_matrix(np.stack([tool_x, np.cross(tool_z, tool_x), tool_z], axis=1))


#: Straight down, the fingers closing along the x axis of ``world``.
HAND_DOWN = hand_orientation(np.pi / 2.0)


def heading_of(direction: np.ndarray) -> float:
    """Return the heading along a (2,) direction, or against it, that the wrist turns to easily."""
    heading = float(np.arctan2(direction[1], direction[0]))
    while heading > np.deg2rad(135.0):
        heading -= np.pi
    while heading <= np.deg2rad(-45.0):
        heading += np.pi
    return heading


class Grasping:
    """The motions of a reset that touch the pin.

    :param hand: the working arm.
    :param settings: of the task.
    """

    def __init__(self, hand: Hand, settings: PinInsertionSettings) -> None:
        self._hand, self._settings = hand, settings
        self.travel = settings.tray.height + settings.reset.travel_height

    @property
    def holding(self) -> bool:
        """Whether the fingers feel the pin."""
        return squeezes(self._hand.state, self._settings)

    def touched(self) -> Callable[[], bool]:
        """Return a function that tells whether something has pushed the hand up since now."""
        self._hand.tare()
        return lambda: bool(self._hand.force[2] > _TOUCH)

    def open(self, width: float | None = None) -> Steps[None]:
        """Let go of whatever is in the hand; ``width`` in m, None for wide open."""
        grasp = self._settings.grasp
        yield from self._hand.grip(grasp.open_width if width is None else width, grasp.effort)

    def close(self) -> Steps[None]:
        """Squeeze."""
        yield from self._hand.grip(SQUEEZE, self._settings.grasp.effort)

    def rise(self) -> Steps[None]:
        """Go straight up to the height at which nothing is in the way, hand pointing down."""
        x, y, z = self._hand.goal
        if z < self.travel - 0.005:
            yield from self._hand.move(
                (x, y, self.travel), speed=self._settings.reset.fast, patience=0.0
            )

    def above(self, spot: np.ndarray, orientation: np.ndarray) -> Steps[None]:
        """Go over a (2,) or (3,) spot at travel height."""
        yield from self.rise()
        yield from self._hand.move(
            (*spot[:2], self.travel), orientation, speed=self._settings.reset.fast, patience=0.3
        )

    def lay_down(self) -> Steps[None]:
        """Lower whatever is in the hand onto the free part of the tray, and let go of it."""
        settings, hand = self._settings, self._hand
        tray = settings.tray
        spot = np.array([*tray.centre, tray.height + 0.010])
        spot[:2] += [0.22 * tray.size[0], -0.26 * tray.size[1]]  # away from block and cradle
        yield from self.above(spot, HAND_DOWN)
        yield from hand.move(spot, speed=settings.reset.slow, until=self.touched(), patience=0.1)
        yield from self.open()
        yield from self.rise()

    def fetch(self, pin: PinEstimate) -> Steps[bool]:
        """Grip an upright or leaning pin near its upper end, from above, and lift it.

        :return: whether something as wide as the pin is in the hand afterwards.
        """
        settings, hand = self._settings, self._hand
        below_top = settings.pin.length - settings.grasp.height
        grip = pin.top - below_top * pin.axis
        orientation = HAND_DOWN
        if pin.tilt > 0.2:
            orientation = hand_orientation(heading_of(pin.axis[:2]))
        yield from self.rise()
        yield from self.open()
        over = (grip[0], grip[1], max(pin.top[2] + 0.02, self.travel - 0.05))
        yield from hand.move(over, orientation, speed=settings.reset.fast, tolerance=0.003)
        yield from hand.move(grip, speed=settings.reset.slow, until=self.touched(), patience=0.3)
        yield from self.close()
        if not self.holding:
            return False
        x, y, _ = hand.goal
        yield from hand.move((x, y, self.travel), speed=settings.reset.fast * 0.7, patience=0.0)
        return self.holding

    def seat(self, tip: np.ndarray) -> Steps[None]:
        """Lower the pin in the hand into the cradle, whatever its tilt, and let go.

        :param tip: (3,) m, its lower end as seen just now.
        """
        settings, hand = self._settings, self._hand
        cradle = settings.cradle
        offset = hand.position - tip
        spot = np.array([*cradle.centre, settings.tray.height + cradle.floor]) + offset
        funnel = cradle.bore_depth + cradle.mouth_depth
        yield from hand.move(
            (*spot[:2], max(spot[2] + funnel + 0.02, hand.goal[2])), speed=settings.reset.fast
        )
        yield from hand.move(
            spot + [0, 0, 0.003], speed=settings.reset.slow, until=self.touched(), patience=0.2
        )
        yield from self.open()

    def shove(self, pin: PinEstimate, shift: np.ndarray, clearance: Clearance) -> Steps[None]:
        """Press closed fingers on a lying pin and take it along, out of a corner.

        Across its axis it rolls, half as far as the fingers go; along its axis it slides.

        :param shift: (2,) m, where it shall go.
        """
        settings, hand = self._settings, self._hand
        distance = float(np.linalg.norm(shift))
        way = np.array([*shift, 0.0]) / distance
        rolls = abs(float(way @ pin.axis)) < 0.7
        along = pin.axis[:2] / np.linalg.norm(pin.axis[:2])
        spot, heading = clearance.press_place((pin.top + pin.bottom)[:2] / 2.0, along, shift)
        start = np.array([*spot, settings.tray.height + 2.0 * settings.pin.radius + 0.010])
        start -= (0.005 if rolls else 0.0) * way
        orientation = hand_orientation(heading_of(np.array([np.cos(heading), np.sin(heading)])))
        yield from self.rise()
        yield from self.open(0.0)
        yield from self.above(start, orientation)
        yield from hand.move(start, speed=settings.reset.fast, tolerance=0.003)
        yield from hand.move(
            start - [0.0, 0.0, 0.020],
            speed=settings.reset.slow,
            until=self.touched(),
            patience=0.2,
        )
        pressed = hand.goal - [0.0, 0.0, 0.006]
        stroke = min(2.0 * distance, 0.05) if rolls else distance
        yield from hand.move(pressed + stroke * way, speed=settings.reset.slow, patience=0.0)
        yield from self.rise()

    def stand_up(
        self, pin: PinEstimate, clearance: Clearance, look: Callable[[], Steps[np.ndarray | None]]
    ) -> Steps[bool]:
        """Grip a lying pin near one end, turn the hand level so that it hangs, and seat it.

        A pin in a corner, where the fingers do not fit, is shoved out of it instead.

        :param look: looks for the lower end of the pin in the hand: (3,) m or None.
        :return: False when it was not gripped or was lost on the way.
        """
        settings, hand = self._settings, self._hand
        floor, reset = settings.tray.height, settings.reset
        heading = heading_of(pin.axis[:2])
        ahead = np.array([np.cos(heading), np.sin(heading), 0.0])
        far, near = (pin.top, pin.bottom)
        if (far - near) @ ahead < 0.0:
            far, near = near, far
        along = (near - far) / np.linalg.norm(near - far)
        places = [far + from_end * along for from_end in _FROM_END]
        over_rim = floor + settings.tray.rim_height + 0.003
        fitting = [
            spot
            for spot in places
            if clearance.fits(spot, heading, _NARROW, over_rim=spot[2] > over_rim)
        ]
        if not fitting:
            middle = (pin.top + pin.bottom) / 2.0
            shift = clearance.way_out(middle, ahead[:2], _NARROW)
            yield from self.shove(pin, shift, clearance)
            return False
        grip = fitting[0]
        grip[2] = max(grip[2], floor + settings.pin.radius)
        down = hand_orientation(heading)
        yield from self.rise()
        yield from self.open(_NARROW)
        yield from self.above(grip, down)
        yield from hand.move(grip + [0, 0, 0.03], speed=reset.fast, tolerance=0.003)
        # the floor tells the height better than the arm's own calibration does
        floor_below = grip - [0.0, 0.0, 0.002 if grip[2] > over_rim else _FEEL_FOR]
        yield from hand.move(floor_below, speed=reset.slow, until=self.touched(), patience=0.2)
        yield from hand.move(hand.goal + [0.0, 0.0, 0.002], speed=reset.slow, patience=0.1)
        yield from self.close()
        if not self.holding:
            return False
        return (yield from self._hang_and_seat(look))

    def _hang_and_seat(self, look: Callable[[], Steps[np.ndarray | None]]) -> Steps[bool]:
        """Turn the hand level over the cradle, so that the pin hangs, and lower it."""
        settings, hand, fast = self._settings, self._hand, self._settings.reset.fast
        yield from self.rise()
        spot = np.array([*settings.cradle.centre, self.travel])
        yield from hand.move(spot, HAND_DOWN, speed=fast, patience=0.0)
        level = hand_orientation(np.pi / 2.0, _PITCH)
        low = spot - [0, 0, 0.03]
        yield from hand.move(low, level, speed=fast, turn_speed=1.0, patience=0.4)
        if not self.holding:
            return False
        tip = yield from look()
        if tip is None:
            hanging = matrix_from_quaternion(hand.state.quaternion)[:, 0]
            tip = hand.position + (settings.pin.length - _FROM_END[0]) * hanging
        yield from self.seat(tip)
        back = hand.position - 0.075 * np.array([0.0, np.sin(_PITCH), -np.cos(_PITCH)])
        yield from hand.move(back, speed=settings.reset.slow * 1.5, patience=0.0)
        yield from hand.move((back[0], back[1], self.travel), speed=fast, patience=0.0)
        yield from hand.move(hand.goal, HAND_DOWN, speed=fast, patience=0.0)
        return True
