"""Winding an attempt up: feel what holds the pin, let go or lift it, and give a clear view."""

from __future__ import annotations

import numpy as np

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.types import Program
from enpire_nodes.tasks.api import Pose, Report, SettleReport
from enpire_nodes.tasks.motion import Hand, Steps
from enpire_nodes.tasks.pin_insertion.classify import squeezes
from enpire_nodes.tasks.pin_insertion.grasping import HAND_DOWN, SQUEEZE
from enpire_nodes.tasks.pin_insertion.settings import PinInsertionSettings

_LIGHT = 1.5  # N, upward: less than that does not press


class Settle:
    """One winding up; :meth:`run` is its program.

    :param settings: of the task.
    :param fixture: the hole as the reset saw it.
    :param report: told of every stage.
    """

    def __init__(
        self, settings: PinInsertionSettings, fixture: Pose, *, report: Report | None = None
    ) -> None:
        self._settings, self._fixture, self._report = settings, fixture, report
        self._hand = Hand(settings.arm, squeeze=(SQUEEZE, settings.grasp.effort))

    def run(self) -> Program[SettleReport]:
        """Feel, let go or lift, and retreat.

        :raises StationError: POLICY_SETTLE_FAILED when the arm does not get away in time.
        """
        hand, settings = self._hand, self._settings
        yield from hand.begin()
        start = hand.now
        if not squeezes(hand.state, settings):
            message = 'the hand came back without the pin'
            yield from self._let_go()
        else:
            yield from self._relax()
            depth = self._fixture.position[2] - hand.position[2] + settings.grasp.height
            resisted = yield from self._wiggle()
            if depth >= settings.settle.deep and resisted >= settings.settle.firm:
                message = 'let go of the pin in the hole'
                yield from self._let_go()
            else:
                message = 'lifted the pin back over the hole'
                yield from self._lift()
        yield from hand.dwell(0.2)
        if hand.now - start > settings.settle.deadline:
            raise StationError(
                ErrorCode.POLICY_SETTLE_FAILED,
                f'winding up took longer than {settings.settle.deadline:.0f} s; '
                'check that nothing blocks the arm',
            )
        return SettleReport(squeezes(hand.state, settings), start, hand.now, message)

    def _tell(self, message: str) -> None:
        if self._report is not None:
            self._report('settle', message, 0)

    def _relax(self) -> Steps[None]:
        """Stop pressing: rise by a hair's breadth until next to nothing pushes back."""
        self._tell('easing off')
        hand = self._hand
        hand.tare()  # what the policy pressed with; rising takes it away
        lifted, last = 0.0, hand.state.force[2]
        while lifted < 0.006:
            yield from hand.move(hand.goal + [0.0, 0.0, 0.001], speed=0.03, patience=0.0)
            lifted += 0.001
            force = float(hand.state.force[2])
            if abs(force - last) < 0.3 * _LIGHT and lifted >= 0.002:
                break
            last = force

    def _wiggle(self) -> Steps[float]:
        """Push to all four sides and come back.

        :return: N felt to the weakest side; the judge makes its own measurement.
        """
        self._tell('feeling for the walls')
        hand, settle = self._hand, self._settings.settle
        centre = hand.goal
        speed = settle.wiggle / settle.wiggle_time
        hand.tare()
        felt: list[float] = []
        for direction in ((1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0)):
            against = np.array([*direction, 0.0])
            yield from hand.move(centre + settle.wiggle * against, speed=speed, patience=0.0)
            yield from hand.step()
            felt.append(float(-hand.force @ against))
            yield from hand.move(centre, speed=1.5 * speed, patience=0.0)
        return min(felt)

    def _let_go(self) -> Steps[None]:
        self._tell('letting go')
        hand, settings = self._hand, self._settings
        yield from hand.grip(settings.grasp.open_width, settings.grasp.effort)
        yield from hand.move(
            hand.goal + [0.0, 0.0, settings.settle.retreat],
            HAND_DOWN,
            speed=0.7 * settings.reset.fast,
            patience=0.0,
        )

    def _lift(self) -> Steps[None]:
        self._tell('lifting')
        hand, settings = self._hand, self._settings
        height = self._fixture.position[2] + settings.reset.hover + settings.grasp.height
        x, y, z = hand.goal
        yield from hand.move(
            (x, y, max(z, height)), HAND_DOWN, speed=settings.reset.slow * 1.5, patience=0.0
        )
