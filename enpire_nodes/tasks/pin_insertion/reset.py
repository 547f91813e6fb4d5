"""Putting the scene back: find the pin, fetch it, hold it over the hole, and make sure.

The arm does it all; what it cannot recover is reported with its cause.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np

from enpire_nodes.common.cameras import Camera
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.geometry import matrix_from_quaternion
from enpire_nodes.common.types import Frame, Program
from enpire_nodes.tasks.api import Pose, Report, ResetFailedError, ResetReport
from enpire_nodes.tasks.motion import Hand, Steps
from enpire_nodes.tasks.pin_insertion.classify import (
    classify,
    FLAT,
    held,
    Hold,
    PinState,
    UPRIGHT,
)
from enpire_nodes.tasks.pin_insertion.clearance import Clearance
from enpire_nodes.tasks.pin_insertion.grasping import Grasping, HAND_DOWN, SQUEEZE
from enpire_nodes.tasks.pin_insertion.settings import PinInsertionSettings
from enpire_nodes.tasks.pin_insertion.vision import BlockEstimate, Eyes, Look

#: What each failure that is tried again counts as, and what it becomes when it persists.
_GIVE_UP = {
    'grasp missed': ErrorCode.RESET_GRASP_FAILED,
    'dropped': ErrorCode.RESET_PIN_DROPPED,
    'lying': ErrorCode.RESET_LYING_NOT_RECOVERED,
    'slipped': ErrorCode.RESET_RESEAT_FAILED,
    'not over the hole': ErrorCode.RESET_HOVER_NOT_VERIFIED,
}
_REMEDY = {
    'grasp missed': 'the fingers close without the pin; check the gripper and the cameras',
    'dropped': 'the pin keeps falling out of the hand; clean the finger pads',
    'lying': 'the pin lies on its side and could not be stood up; put it in the cradle',
    'slipped': 'the pin keeps slipping in the hand; clean the finger pads',
    'not over the hole': 'the cameras do not see the pin over the hole; check their calibration',
}


class Reset:
    """One reset; :meth:`run` is its program.

    :param settings: of the task.
    :param cameras: calibrated, by name.
    :param seed: of the starting offset.
    :param report: told of every stage.
    """

    def __init__(
        self,
        settings: PinInsertionSettings,
        cameras: Mapping[str, Camera],
        *,
        seed: int,
        report: Report | None = None,
    ) -> None:
        self._settings, self._report = settings, report
        self._names = settings.cameras
        self._eyes = Eyes({name: cameras[name] for name in self._names}, settings)
        reach = settings.reset.offset
        self._offset = np.random.default_rng(seed).uniform(-reach, reach, 2)
        self._hand = Hand(settings.arm, squeeze=(SQUEEZE, settings.grasp.effort))
        self._grasping = Grasping(self._hand, settings)
        self._recoveries: list[str] = []
        self._block: BlockEstimate | None = None
        self._deadline = 0.0

    def run(self) -> Program[ResetReport]:
        """Bring the pin over the hole.

        :raises ResetFailedError: with the cause that persists.
        """
        yield from self._hand.begin()
        start = self._hand.now
        self._deadline = start + self._settings.reset.deadline
        try:
            fixture = yield from self._bring()
        except ResetFailedError:
            raise
        except StationError as error:
            raise ResetFailedError(error.code, error.message, tuple(self._recoveries)) from error
        return ResetReport(
            Pose(fixture, np.array([0.0, 0.0, 0.0, 1.0])),
            tuple(self._recoveries),
            self._hand.now - start,
            self._offset,
            'the pin is held over the hole',
        )

    def _bring(self) -> Steps[np.ndarray]:
        hand = self._hand
        self._tell('locate', 'looking for pin and block')
        if not self._grasping.holding:
            yield from self._grasping.open(max(hand.state.gripper_width, 0.03))
        yield from self._grasping.rise()
        yield from hand.move(hand.goal, HAND_DOWN, speed=0.2, patience=0.0)
        while True:
            look = yield from self._look()
            hold = held(look.pin, hand.state, self._settings)
            if hold is None and self._grasping.holding:
                hold = yield from self._look_closer()
            if hold is None:
                yield from self._pick_up(look)
                continue
            if self._badly_held(hold):
                self._recover('slipped', 'reseat')
                if hold.tilt > UPRIGHT:  # across the hand: no funnel takes it like that
                    yield from self._grasping.lay_down()
                else:
                    yield from self._grasping.seat(hold.tip)
                    yield from self._grasping.rise()
                continue
            fixture = yield from self._hover(hold)
            if fixture is not None:
                return fixture

    def _badly_held(self, hold: Hold) -> bool:
        reset = self._settings.reset
        worst = max(abs(hold.slip), hold.aside)
        return worst > reset.slip or hold.tilt > reset.tilt

    def _look(self, count: int | None = None) -> Steps[Look]:
        """Take fresh pictures, standing still, and remember the block."""
        self._check_time()
        reset = self._settings.reset
        looks = yield from self._hand.pictures(
            self._names, self._see, count=count or reset.frames, wait=reset.camera_wait
        )
        blocks = [look.block for look in looks if look.block is not None]
        if blocks:
            self._block = min(blocks, key=lambda block: block.residual)
        seen = [look for look in looks if look.pin is not None]
        return seen[-1] if seen else looks[-1]

    def _see(self, pictures: Mapping[str, Frame]) -> Look:
        return self._eyes.look({name: frame.image for name, frame in pictures.items()})

    def _look_closer(self) -> Steps[Hold | None]:
        """Hold a pin that only the fingers feel to where the cameras see well."""
        middle = (np.asarray(self._settings.tray.centre) + self._settings.block.centre) / 2.0
        yield from self._hand.move(
            (*middle, self._grasping.travel - 0.02), HAND_DOWN, speed=self._settings.reset.fast
        )
        look = yield from self._look()
        hold = held(look.pin, self._hand.state, self._settings)
        if hold is None:  # whatever it is, it is not a pin that hangs down
            self._recover('dropped', 'fetch')
            yield from self._grasping.lay_down()
        return hold

    def _pick_up(self, look: Look) -> Steps[None]:
        """Get the pin that nobody holds into the hand, or at least into the cradle."""
        state = classify(look.pin, self._block, self._settings)
        if state is PinState.MISSING:
            look = yield from self._step_aside()
            state = classify(look.pin, self._block, self._settings)
        if state is PinState.MISSING:
            raise self._failed(
                ErrorCode.RESET_PIN_NOT_FOUND,
                'no camera sees the pin; look for it on the floor and put it in the cradle',
            )
        if state is PinState.OUTSIDE:
            x, y, _ = (look.pin.top + look.pin.bottom) / 2.0
            raise self._failed(
                ErrorCode.RESET_PIN_OUT_OF_REACH,
                f'the pin lies outside the tray at x {x:.3f} m, y {y:.3f} m; put it in the cradle',
            )
        if state is PinState.LYING or look.pin.tilt > FLAT:
            self._recover('lying', 'stand_up')
            clearance = Clearance(self._settings, self._block and self._block.rim)
            yield from self._grasping.stand_up(look.pin, clearance, self._seen_tip)
            yield from self._grasping.rise()
            return
        self._tell('fetch', f'the pin is {state.value}')
        caught = yield from self._grasping.fetch(look.pin)
        if not caught:
            yield from self._grasping.open()
            yield from self._grasping.rise()
            self._recover('grasp missed', 'fetch')

    def _step_aside(self) -> Steps[Look]:
        """Take the arm out of both views and look again."""
        if self._grasping.holding:
            yield from self._grasping.open()
        x, y = self._settings.tray.centre
        yield from self._grasping.above(np.array([x - 0.08, y - 0.02]), HAND_DOWN)
        look = yield from self._look(3)
        return look

    def _seen_tip(self) -> Steps[np.ndarray | None]:
        """Return where the lower end of the pin in the hand is; None when it is not seen."""
        look = yield from self._look(1)
        state = self._hand.state
        if look.pin is not None and np.linalg.norm(look.pin.bottom - state.position) < 0.08:
            return look.pin.bottom
        # one view is enough when it looks across the plane in which the pin hangs
        across = matrix_from_quaternion(state.quaternion)[:, 1]
        return self._eyes.tip_in_plane(look.sticks, state.position, across)

    def _hover(self, hold: Hold) -> Steps[np.ndarray | None]:
        """Hold the pin beside and above the hole, and check it; None to begin anew."""
        settings, hand = self._settings, self._hand
        if self._block is None:
            raise self._failed(
                ErrorCode.RESET_FIXTURE_NOT_FOUND,
                'the cameras do not see the block; put it back in the tray, clear of the cradle',
            )
        self._tell('hover', 'carrying the pin over the hole')
        rim = self._block.rim
        start = rim + [*self._offset, settings.reset.hover]
        grasp = np.array([0.0, 0.0, settings.grasp.height])
        place = start + grasp
        x, y, z = hand.goal
        if z < place[2]:
            yield from hand.move((x, y, place[2]), speed=settings.reset.fast)
        yield from hand.move(
            (*place[:2], max(z, place[2])), HAND_DOWN, speed=settings.reset.fast, patience=0.0
        )
        yield from hand.move(place, speed=settings.reset.slow * 1.5, tolerance=0.001)
        self._tell('verify', 'checking the pin over the hole')
        look = yield from self._look()
        hold = held(look.pin, hand.state, settings)
        if hold is None:
            self._recover('dropped', 'fetch')
            yield from self._grasping.rise()
            return None
        if self._badly_held(hold):
            return None  # the next round reseats it
        away = hold.tip - start
        limit = settings.reset.hover_tolerance
        if np.hypot(*away[:2]) > limit or abs(away[2]) > limit:
            self._recover('not over the hole', 'hover')
            yield from self._grasping.rise()
            return None
        return self._block.rim.copy()

    def _recover(self, cause: str, stage: str) -> None:
        """Note that something has to be done again, and give up when it was too often."""
        self._recoveries.append(cause)
        if Counter(self._recoveries)[cause] > self._settings.reset.retries:
            raise self._failed(_GIVE_UP[cause], _REMEDY[cause])
        self._tell(stage, cause)

    def _failed(self, code: ErrorCode, message: str) -> ResetFailedError:
        return ResetFailedError(code, message, tuple(self._recoveries))

    def _check_time(self) -> None:
        if self._hand.now > self._deadline:
            raise self._failed(
                ErrorCode.RESET_TIMEOUT,
                f'not done within {self._settings.reset.deadline:.0f} s '
                f'(recoveries: {", ".join(self._recoveries) or "none"})',
            )

    def _tell(self, stage: str, message: str) -> None:
        if self._report is not None:
            self._report(stage, message, len(self._recoveries))
