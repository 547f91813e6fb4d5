"""Where a pin is in space, from the sticks that two cameras see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from enpire_nodes.common.cameras import Camera, triangulate
from enpire_nodes.tasks.pin_insertion.segmentation import Stick
from enpire_nodes.tasks.pin_insertion.settings import PinInsertionSettings


@dataclass(frozen=True, slots=True, eq=False)
class PinEstimate:
    """The visible part of the pin.

    :param top: (3,) m, its upper end.
    :param bottom: (3,) m, its lower end.
    :param axis: (3,) unit vector from bottom to top.
    :param miss: m, how far the views disagree.
    """

    top: np.ndarray
    bottom: np.ndarray
    axis: np.ndarray
    miss: float

    @property
    def length(self) -> float:
        """M that are visible."""
        return float(np.linalg.norm(self.top - self.bottom))

    @property
    def tilt(self) -> float:
        """Rad from upright."""
        return float(np.arccos(np.clip(abs(self.axis[2]), 0.0, 1.0)))

    def at_height(self, height: float) -> np.ndarray:
        """Return the (3,) point of the axis at a height in m."""
        slope = self.axis / max(abs(float(self.axis[2])), 1e-3)
        return self.bottom + slope * (height - self.bottom[2])


_SURE = 0.0015  # m, ends that meet better than this do so because they are the same ends
_FLAT = 0.005  # m, ends seen on the floor that lie on one line as well as this belong to one pin


def locate_pin(
    cameras: Mapping[str, Camera],
    sticks: Mapping[str, Stick],
    settings: PinInsertionSettings,
) -> PinEstimate | None:
    """Put the views of a pin together.

    :param cameras: by name.
    :param sticks: the pin in each picture that shows it.
    :return: None when what they show is no pin, or not enough of one.
    """
    names = list(sticks)[:2]
    pair = _Views([cameras[name] for name in names], [sticks[name] for name in names], settings)
    return pair.locate()


class _Views:
    """Up to two cameras and the stick that each one sees."""

    def __init__(
        self, cameras: list[Camera], sticks: list[Stick], settings: PinInsertionSettings
    ) -> None:
        self._cameras, self._sticks, self._settings = cameras, sticks, settings

    def locate(self) -> PinEstimate | None:
        """Return the best explanation of what the views show."""
        if len(self._cameras) >= 2:
            return self._stereo()
        return self._on_floor() if self._cameras else None

    def _stereo(self) -> PinEstimate | None:
        """Take the pairing of ends under which the rays meet, or else the axis' two planes."""
        length, limit = self._settings.pin.length, self._settings.vision.miss
        best = None
        steep = all(abs(stick.direction[1]) > 0.9 for stick in self._sticks)
        for swap in (False,) if steep else (False, True):
            ends = self._ends(swap)
            size = float(np.linalg.norm(ends[0] - ends[1]))
            cost = max(ends[2], ends[3]) + 0.3 * abs(size - length)
            if best is None or cost < best[0]:
                best = (cost, ends, size)
        _, (top, bottom, top_miss, bottom_miss), size = best
        miss = max(top_miss, bottom_miss)
        if miss < limit and abs(size - length) < 0.1 * length:
            floor = self._on_floor() if miss > _SURE else None
            if floor is not None and floor.miss < _FLAT:
                return floor  # more likely than a pin in the air whose ends nearly match
            return _estimate(top, bottom, miss)
        planar = self._by_planes()
        if planar is not None and planar.tilt < 0.6:
            return planar
        return self._on_floor() or planar

    def _ends(self, swap: bool) -> tuple[np.ndarray, np.ndarray, float, float]:
        """Triangulate both ends; the outline reaches beyond each by the tilted end face."""
        uppers = [stick.upper for stick in self._sticks]
        lowers = [stick.lower for stick in self._sticks]
        if swap:
            uppers[1], lowers[1] = lowers[1], uppers[1]
        for _ in range(2):
            top, top_miss = triangulate(self._cameras, uppers)
            bottom, bottom_miss = triangulate(self._cameras, lowers)
            axis = (top - bottom) / max(float(np.linalg.norm(top - bottom)), 1e-6)
            uppers, lowers = [], []
            for index, (camera, stick) in enumerate(zip(self._cameras, self._sticks, strict=True)):
                inset = self._inset(camera, (top + bottom) / 2.0, axis) * stick.direction
                upper, lower = stick.upper - inset, stick.lower + inset
                if swap and index == 1:
                    upper, lower = lower, upper
                uppers.append(upper)
                lowers.append(lower)
        return top, bottom, top_miss, bottom_miss

    def _inset(self, camera: Camera, point: np.ndarray, axis: np.ndarray) -> float:
        """Return the px that the end face's ellipse adds to the outline's length."""
        ray = point - camera.position
        distance = float(np.linalg.norm(ray))
        facing = abs(float(axis @ ray)) / distance
        return self._settings.pin.radius * facing * float(camera.matrix[1, 1]) / distance

    def _by_planes(self) -> PinEstimate | None:
        """Cut the planes through each camera and the axis in its picture; ends where seen."""
        normals = []
        for camera, stick in zip(self._cameras, self._sticks, strict=True):
            rays = camera.rays(np.stack([stick.upper, stick.lower]))
            normal = np.cross(rays[0], rays[1])
            normals.append(normal / max(float(np.linalg.norm(normal)), 1e-9))
        axis = np.cross(normals[0], normals[1])
        spread = float(np.linalg.norm(axis))
        if spread < 0.35:
            return None
        axis = axis / spread
        axis = axis if axis[2] >= 0.0 else -axis
        offsets = [float(n @ c.position) for n, c in zip(normals, self._cameras, strict=True)]
        origin = np.linalg.lstsq(
            np.stack([*normals, axis]), np.array([*offsets, 0.0]), rcond=None
        )[0]
        along = []
        for camera, stick in zip(self._cameras, self._sticks, strict=True):
            middle = _nearest(camera, stick.centre, origin, axis)
            inset = self._inset(camera, origin + middle * axis, axis) * stick.direction
            pair = [
                _nearest(camera, end, origin, axis)
                for end in (stick.upper - inset, stick.lower + inset)
            ]
            along.append(sorted(pair))
        bottom, top = (float(np.min([a[0] for a in along])), float(np.max([a[1] for a in along])))
        disagreement = min(
            max(abs(along[0][0] - along[1][0]), 0.0), max(abs(along[0][1] - along[1][1]), 0.0)
        )
        if top - bottom > 1.25 * self._settings.pin.length or disagreement > 0.02:
            return None
        return _estimate(origin + top * axis, origin + bottom * axis, disagreement)

    def _on_floor(self) -> PinEstimate | None:
        """Take the pin to lie on the tray's floor, partly hidden from each camera.

        What the views see of it must lie on one line, and must not be longer than a pin.
        """
        height = self._settings.tray.height + self._settings.pin.radius
        points = []
        for camera, stick in zip(self._cameras, self._sticks, strict=True):
            for pixel in (stick.upper, stick.lower):
                ray = camera.rays(pixel)[0]
                if ray[2] > -1e-3:
                    return None
                points.append(camera.position + ray * (height - camera.position[2]) / ray[2])
        spots = np.array(points)
        middle = spots.mean(axis=0)
        axis = np.linalg.svd(spots - middle)[2][0]
        along = (spots - middle) @ axis
        aside = np.linalg.norm(spots - middle - along[:, None] * axis, axis=1).max()
        size, length = float(np.ptp(along)), self._settings.pin.length
        if aside > 0.012 or size > 1.25 * length or size < 0.25 * length:
            return None
        centre, half = (along.max() + along.min()) / 2.0, min(size, length) / 2.0
        return _estimate(
            middle + (centre + half) * axis,
            middle + (centre - half) * axis,
            float(aside),
        )


def _estimate(top: np.ndarray, bottom: np.ndarray, miss: float) -> PinEstimate:
    if top[2] < bottom[2]:
        top, bottom = bottom, top
    axis = (top - bottom) / max(float(np.linalg.norm(top - bottom)), 1e-9)
    return PinEstimate(top, bottom, axis, float(miss))


def _nearest(camera: Camera, pixel: np.ndarray, origin: np.ndarray, axis: np.ndarray) -> float:
    """Return where along an axis a pixel's ray passes closest, in m from ``origin``."""
    ray = camera.rays(pixel)[0]
    gap = camera.position - origin
    slant = float(ray @ axis)
    return float((axis @ gap - slant * (ray @ gap)) / max(1.0 - slant**2, 1e-6))
