"""Which pixels are pin, block and cradle, and what their outlines measure. Single pictures only.

Pixel coordinates are continuous: the centre of the first pixel is (0.5, 0.5).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from enpire_nodes.tasks.pin_insertion.settings import VisionSettings


@dataclass(frozen=True, slots=True, eq=False)
class Stick:
    """A pin in one picture.

    :param centre: (2,) px, middle of what is visible.
    :param direction: (2,) unit vector along it, pointing up the picture.
    :param upper: (2,) px, where its outline ends up the picture.
    :param lower: (2,) px, where it ends down the picture.
    """

    centre: np.ndarray
    direction: np.ndarray
    upper: np.ndarray
    lower: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """An upright body of revolution in one picture: the box around its convex hull, in px."""

    left: float
    right: float
    top: float
    bottom: float

    @property
    def edges(self) -> np.ndarray:
        """The (4,) left, right, top, bottom."""
        return np.array([self.left, self.right, self.top, self.bottom])


class Picture:
    """One RGB picture, converted once and asked for colours.

    :param image: (height, width, 3) uint8.
    """

    def __init__(self, image: np.ndarray) -> None:
        self._hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)

    def mask(self, hue: tuple[float, float], saturation: float, brightness: float) -> np.ndarray:
        """Return the (height, width) uint8 mask (0 or 255) of a range of hues in degrees."""
        low = (int(hue[0] / 2), int(saturation * 255), int(brightness * 255))
        return cv2.inRange(self._hsv, low, (int(hue[1] / 2), 255, 255))


def find_stick(picture: Picture, settings: VisionSettings) -> Stick | None:
    """Find the pin in a picture: its largest blob, and others in line with it."""
    mask = picture.mask(settings.pin_hue, settings.saturation, settings.brightness)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    if count < 2:
        return None
    sizes = stats[1:, cv2.CC_STAT_AREA]
    largest = int(np.argmax(sizes)) + 1
    if sizes[largest - 1] < settings.pin_pixels:
        return None
    points = _pixels(labels == largest)
    for label in range(1, count):
        if label != largest and sizes[label - 1] >= 8:
            other = _pixels(labels == label)
            if _in_line(points, other):
                points = np.concatenate([points, other])
    return _measure(points)


def find_outline(
    picture: Picture,
    hue: tuple[float, float],
    *,
    saturation: float,
    brightness: float,
    pixels: int,
) -> Outline | None:
    """Find the largest body of a colour; parts that something thin cuts off are joined again."""
    mask = picture.mask(hue, saturation, brightness)
    count, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    if count < 2:
        return None
    largest = int(np.argmax(stats[1:, cv2.CC_STAT_AREA])) + 1
    area = int(stats[largest, cv2.CC_STAT_AREA])
    if area < pixels:
        return None
    box = stats[largest]
    left, top = box[cv2.CC_STAT_LEFT], box[cv2.CC_STAT_TOP]
    right, bottom = left + box[cv2.CC_STAT_WIDTH], top + box[cv2.CC_STAT_HEIGHT]
    reach = 0.6 * max(right - left, bottom - top)
    for label in range(1, count):
        x, y, width, height, size = stats[label]
        near = (
            left - reach < x + width / 2.0 < right + reach
            and top - reach < y + height / 2.0 < bottom + reach
        )
        if label == largest or not near or size < max(20, 0.05 * area):
            continue
        left, right = min(left, x), max(right, x + width)
        top, bottom = min(top, y), max(bottom, y + height)
        area += int(size)
    return Outline(float(left), float(right), float(top), float(bottom))


def _pixels(selection: np.ndarray) -> np.ndarray:
    rows, columns = np.nonzero(selection)
    return np.stack([columns, rows], axis=1) + 0.5


def _axis(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    centre = points.mean(axis=0)
    values, vectors = np.linalg.eigh(np.cov((points - centre).T))
    direction = vectors[:, int(np.argmax(values))]
    return centre, direction if direction[1] <= 0.0 else -direction


def _in_line(points: np.ndarray, other: np.ndarray) -> bool:
    centre, direction = _axis(points)
    across = np.array([-direction[1], direction[0]])
    half_width = np.abs((points - centre) @ across).max()
    return bool(np.abs((other.mean(axis=0) - centre) @ across) < half_width)


def _measure(points: np.ndarray) -> Stick:
    centre, direction = _axis(points)
    across = np.array([-direction[1], direction[0]])
    along, aside = (points - centre) @ direction, (points - centre) @ across
    middle = np.abs(aside - np.median(aside)) <= 2.0
    high, low = along[middle].max() + 0.5, along[middle].min() - 0.5
    return Stick(centre, direction, centre + high * direction, centre + low * direction)
