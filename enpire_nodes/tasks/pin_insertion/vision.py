"""Where pin and block are, from the pictures of two or more cameras.

Everything is measured relative to the cradle, whose place is known: each view is shifted so that
the cradle appears where the calibration says, which takes out most of a nudged camera.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from enpire_nodes.common.cameras import Camera
from enpire_nodes.tasks.pin_insertion.pin_pose import locate_pin, PinEstimate
from enpire_nodes.tasks.pin_insertion.segmentation import (
    find_outline,
    find_stick,
    Outline,
    Picture,
    Stick,
)
from enpire_nodes.tasks.pin_insertion.settings import PinInsertionSettings

_CIRCLE = np.linspace(0.0, 2.0 * np.pi, 32, endpoint=False)
_PROBE = 1e-3  # m, between the places that a fit compares
_PROBES = _PROBE * np.array([[0.0, 0.0], [1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])


@dataclass(frozen=True, slots=True, eq=False)
class BlockEstimate:
    """The block: ``rim`` (3,) m is the centre of the hole's edge; ``residual`` is in px."""

    rim: np.ndarray
    residual: float


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What one set of pictures shows.

    :param pin: None when no pair of cameras sees it.
    :param block: None when it is not recognised.
    :param sticks: the pin in each picture, shifted as the cradle says.
    """

    pin: PinEstimate | None
    block: BlockEstimate | None
    sticks: Mapping[str, Stick] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What one picture shows, before any shift."""

    stick: Stick | None
    block: Outline | None
    cradle: Outline | None


def analyse(
    image: np.ndarray,
    settings: PinInsertionSettings,
    window: tuple[int, int, int, int] | None = None,
) -> View:
    """Segment one picture.

    :param image: (height, width, 3) uint8.
    :param window: px, left, top, right and bottom of the part in which to look for the pin, and
        for nothing else; None looks at all of it for everything.
    """
    vision = settings.vision
    if window is not None:
        left, top, right, bottom = window
        stick = find_stick(Picture(image[top:bottom, left:right]), vision)
        return View(stick and _shifted_stick(stick, np.array([left, top], float)), None, None)
    picture = Picture(image)
    block = find_outline(
        picture,
        vision.block_hue,
        saturation=vision.saturation,
        brightness=vision.brightness,
        pixels=vision.block_pixels,
    )
    cradle = find_outline(
        picture,
        vision.cradle_hue,
        saturation=vision.saturation,
        brightness=vision.brightness,
        pixels=vision.block_pixels // 4,
    )
    return View(find_stick(picture, vision), block, cradle)


class Eyes:
    """Puts the views of calibrated cameras together.

    :param cameras: by name.
    :param settings: of the task.
    """

    def __init__(self, cameras: Mapping[str, Camera], settings: PinInsertionSettings) -> None:
        self._cameras, self._settings = dict(cameras), settings
        self._shifts = {name: np.zeros(2) for name in cameras}
        self._expected = {
            name: _box_of(camera, _cradle_points(settings)) for name, camera in cameras.items()
        }

    def look(self, images: Mapping[str, np.ndarray]) -> Look:
        """Measure pin and block in simultaneous pictures by camera name."""
        return self.combine(
            {name: analyse(image, self._settings) for name, image in images.items()}
        )

    def combine(self, views: Mapping[str, View]) -> Look:
        """Measure pin and block in views that are already segmented."""
        sticks = self._sticks(views)
        return Look(locate_pin(self._cameras, sticks, self._settings), self.block(views), sticks)

    def pin(self, views: Mapping[str, View]) -> PinEstimate | None:
        """Measure the pin alone."""
        return locate_pin(self._cameras, self._sticks(views), self._settings)

    def block(self, views: Mapping[str, View]) -> BlockEstimate | None:
        """Measure the block alone."""
        outlines = {
            name: view.block.edges + np.repeat(self._shift(name, view.cradle), 2)
            for name, view in views.items()
            if view.block is not None
        }
        return self._fit_block(outlines) if len(outlines) >= 2 else None

    def _sticks(self, views: Mapping[str, View]) -> dict[str, Stick]:
        found = {name: self.alone(name, view) for name, view in views.items()}
        return {name: stick for name, stick in found.items() if stick is not None}

    def alone(self, name: str, view: View) -> Stick | None:
        """Return the pin in one view, shifted as the cradle says."""
        shift = self._shift(name, view.cradle)
        return None if view.stick is None else _shifted_stick(view.stick, shift)

    def tip_in_plane(
        self, sticks: Mapping[str, Stick], point: np.ndarray, normal: np.ndarray
    ) -> np.ndarray | None:
        """Return where the pin's lower end is if it hangs in a plane; None when no view tells.

        :param sticks: the pin in each picture, as in a look.
        :param point: (3,) m, in the plane.
        :param normal: (3,) unit vector, across the plane.
        """
        for name, stick in sticks.items():
            camera = self._cameras[name]
            ray = camera.rays(stick.lower)[0]
            slant = float(ray @ normal)
            if abs(slant) > 0.6:
                tip = camera.position + ray * float((point - camera.position) @ normal) / slant
                if np.linalg.norm(tip - point) < self._settings.pin.length + 0.01:
                    return tip
        return None

    def window(self, name: str, point: np.ndarray, reach: float) -> tuple[int, int, int, int]:
        """Return the part of a picture that shows what is within ``reach`` m of a point."""
        camera = self._cameras[name]
        scale = float(camera.matrix[1, 1]) / float(np.linalg.norm(point - camera.position))
        (x, y), half = camera.project(point)[0], reach * scale
        left, right = np.clip([x - half, x + half], 0, camera.width).astype(int)
        top, bottom = np.clip([y - half, y + half], 0, camera.height).astype(int)
        return int(left), int(top), max(int(right), int(left) + 8), max(int(bottom), int(top) + 8)

    def _shift(self, name: str, cradle: Outline | None) -> np.ndarray:
        """Return (and remember) the px to add to a view; without a cradle, the last ones."""
        expected = self._expected[name]
        if cradle is not None:
            size = expected[[1, 3]] - expected[[0, 2]]
            seen = np.array([cradle.right - cradle.left, cradle.bottom - cradle.top])
            middle = np.array([cradle.left + cradle.right, cradle.bottom + cradle.bottom]) / 2.0
            wanted = np.array([expected[0] + expected[1], 2.0 * expected[3]]) / 2.0
            shift = wanted - middle
            if np.abs(seen - size).max() < 7.0 and np.abs(shift).max() < 20.0:
                self._shifts[name] = shift
        return self._shifts[name]

    def _fit_block(self, outlines: Mapping[str, np.ndarray]) -> BlockEstimate | None:
        """Move an upright cylinder until its outlines meet those that are seen."""
        block, tray = self._settings.block, self._settings.tray
        cameras = [self._cameras[name] for name in outlines]
        seen = np.concatenate(list(outlines.values()))
        place = np.array(block.centre)
        weight = np.tile([1.0, 1.0, 0.5, 1.0], len(cameras))  # the pin may hide the upper edge
        for _ in range(3):
            tried = place + _PROBES
            edges = np.concatenate(
                [self._outlines_at(camera, tried) for camera in cameras], axis=1
            )
            error = seen - edges[0]
            slope = np.stack([edges[1] - edges[2], edges[3] - edges[4]], axis=1) / (2 * _PROBE)
            robust = weight / np.maximum(1.0, np.abs(error) / 2.0)
            place = place + np.linalg.lstsq(slope * robust[:, None], error * robust, rcond=None)[0]
        residual = float(np.median(np.abs(error)))
        if residual > 4.0 or np.abs(place - block.centre).max() > 0.08:
            return None
        return BlockEstimate(np.array([*place, tray.height + block.height]), residual)

    def _outlines_at(self, camera: Camera, places: np.ndarray) -> np.ndarray:
        """Return the (n, 4) edges in px that a camera would see of a block at (n, 2) places."""
        block, floor = self._settings.block, self._settings.tray.height
        ring = np.stack([np.cos(_CIRCLE), np.sin(_CIRCLE)], axis=1) * block.radius
        rings = np.concatenate(
            [
                np.column_stack([ring, np.full(len(ring), floor + height)])
                for height in (0.0, block.height)
            ]
        )
        offsets = np.column_stack([places, np.zeros(len(places))])
        points = (rings[None] + offsets[:, None]).reshape(-1, 3)
        pixels = camera.project(points).reshape(len(places), len(rings), 2)
        low, high = pixels.min(axis=1), pixels.max(axis=1)
        return np.stack([low[:, 0], high[:, 0], low[:, 1], high[:, 1]], axis=1)


def _box_of(camera: Camera, points: np.ndarray) -> np.ndarray:
    pixels = camera.project(points)
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    return np.array([low[0], high[0], low[1], high[1]])


def _cradle_points(settings: PinInsertionSettings) -> np.ndarray:
    """Return (n, 3) m on the outer edges of the cradle."""
    cradle, floor = settings.cradle, settings.tray.height
    ring = np.stack([np.cos(_CIRCLE), np.sin(_CIRCLE)], axis=1)
    mouth = ring * cradle.mouth_radius + cradle.centre
    high = floor + cradle.floor + cradle.bore_depth + cradle.mouth_depth
    side = cradle.bore_radius + 0.005
    corners = np.array([[-side, -side], [-side, side], [side, side], [side, -side]])
    return np.concatenate(
        [
            np.column_stack([mouth, np.full(len(mouth), high)]),
            np.column_stack([corners + cradle.centre, np.full(4, floor)]),
        ]
    )


def _shifted_stick(stick: Stick, shift: np.ndarray) -> Stick:
    return Stick(
        stick.centre + shift,
        stick.direction,
        stick.upper + shift,
        stick.lower + shift,
    )
