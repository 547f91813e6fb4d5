"""Where fingers fit beside a lying pin, and which way to roll one that lies in a corner."""

from __future__ import annotations

import numpy as np

from enpire_nodes.tasks.pin_insertion.settings import PinInsertionSettings

_PAD_LENGTH, _PAD_THICKNESS = 0.020, 0.006  # m, of a finger near its tip
_KNUCKLE = (0.012, 0.028)  # m beyond the pad's face: the thick part, from 25 mm above the tip up
_MARGIN = 0.006  # m, for errors of sight and of the arm


class Clearance:
    """The obstacles in the tray.

    :param settings: of the task.
    :param block: (2,) m, centre of the block, None when it is not known.
    """

    def __init__(self, settings: PinInsertionSettings, block: np.ndarray | None) -> None:
        tray = settings.tray
        self._centre, self._room = np.asarray(tray.centre), np.asarray(tray.size) / 2.0
        block = np.asarray(settings.block.centre) if block is None else block[:2]
        self._towers = [
            (block, settings.block.radius),
            (np.asarray(settings.cradle.centre), settings.cradle.mouth_radius),
        ]

    def fits(
        self, grip: np.ndarray, heading: float, width: float, *, over_rim: bool = False
    ) -> bool:
        """Tell whether an open hand that points down can be lowered around a lying pin.

        :param grip: (2,) m, between the fingertips.
        :param heading: rad, of the hand, along the pin.
        :param width: m between the pads.
        :param over_rim: the fingertips stay above the tray's rim.
        """
        along = np.array([np.cos(heading), np.sin(heading)])
        across = np.array([-along[1], along[0]])
        length = np.linspace(-_PAD_LENGTH / 2.0, _PAD_LENGTH / 2.0, 5)
        thick = np.linspace(-0.012, 0.012, 5)
        for side in (-1.0, 1.0):
            for depth in (0.0, _PAD_THICKNESS):
                pad = grip[:2] + side * (width / 2.0 + depth) * across + length[:, None] * along
                if (self._from_rim(pad) < _MARGIN).any() or (
                    self._from_towers(pad) < _MARGIN
                ).any():
                    return False
            for depth in _KNUCKLE:
                knuckle = grip[:2] + side * (width / 2.0 + depth) * across
                if self._from_towers(knuckle + thick[:, None] * along).min() < _MARGIN:
                    return False
        return True

    def way_out(self, middle: np.ndarray, axis: np.ndarray, width: float) -> np.ndarray:
        """Return the (2,) shortest shift in m of a lying pin after which the hand fits around it.

        :param middle: (2,) m, of the pin.
        :param axis: (2,) unit vector along it, pointing where the hand's heading points.
        :param width: m between the pads.
        """
        across, heading = np.array([-axis[1], axis[0]]), float(np.arctan2(axis[1], axis[0]))
        body = np.linspace(-0.035, 0.035, 8)[:, None] * axis

        def merit(shift: np.ndarray) -> tuple[bool, float]:
            line = middle[:2] + shift + body
            room = float(min(self._from_rim(line).min(), self._from_towers(line).min()))
            fits = room > 0.006 and self.fits(middle[:2] + shift + 0.015 * axis, heading, width)
            return fits, -float(np.linalg.norm(shift)) if fits else room

        shifts = [
            distance * direction
            for direction in (across, -across, axis, -axis)
            for distance in (0.02, 0.04, 0.06)
        ]
        return max(shifts, key=merit)

    def press_place(
        self, middle: np.ndarray, axis: np.ndarray, shift: np.ndarray
    ) -> tuple[np.ndarray, float]:
        """Return where along a lying pin, and with which heading, closed fingers can press on it.

        :param middle: (2,) m, of the pin.
        :param axis: (2,) unit vector along it.
        :param shift: (2,) m, where it shall go.
        :return: (2,) m, and rad.
        """
        ahead = float(np.arctan2(shift[1], shift[0]))
        places = [
            (middle[:2] + along * axis, heading)
            for along in (0.0, 0.014, -0.014, 0.022, -0.022)
            for heading in (ahead, ahead + np.pi / 2.0)
        ]
        for spot, heading in places:
            if all(self.fits(spot + part * shift, heading, 0.0) for part in (0.0, 0.5, 1.0)):
                return spot, heading
        return max(places, key=lambda place: float(self._from_towers(place[0][None]).min()))

    def _from_rim(self, points: np.ndarray) -> np.ndarray:
        return (self._room - np.abs(points - self._centre)).min(axis=1)

    def _from_towers(self, points: np.ndarray) -> np.ndarray:
        return np.min(
            [np.linalg.norm(points - centre, axis=1) - radius for centre, radius in self._towers],
            axis=0,
        )
