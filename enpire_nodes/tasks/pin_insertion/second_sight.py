"""Pin and block in one picture, told apart by their place in the plane of a* and b* of CIELAB.

For the second opinion alone: the judge and the reset have ``segmentation``. Pixel coordinates are
continuous: the centre of the first pixel is (0.5, 0.5).
"""

from __future__ import annotations

import cv2
import numpy as np

_CHROMA = 14.0  # less is grey, whatever Otsu says
_GREY = 110.0  # lightness, 0 to 255, at which chroma is taken as it is
_PIN_PIXELS = 20
_BLOCK_SHARE = 0.6  # of its expected breadth and height that must be seen of the block


def colour_of(hues: tuple[float, float]) -> np.ndarray:
    """Return the unit vector in the plane of a* and b* of the middle of a range of hues."""
    hsv = np.uint8([[[round((hues[0] + hues[1]) / 4.0), 255, 200]]])
    lab = cv2.cvtColor(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB), cv2.COLOR_RGB2LAB)
    colour = lab[0, 0, 1:].astype(float) - 128.0
    return colour / np.linalg.norm(colour)


def chroma_of(image: np.ndarray) -> np.ndarray:
    """Return the (height, width, 2) a* and b* of an RGB picture, as if all lay in one light."""
    lab = cv2.cvtColor(cv2.GaussianBlur(image, (5, 5), 0.8), cv2.COLOR_RGB2LAB)
    lab = lab.astype(np.float32)
    # what lies in the shade is as coloured as what lies in the light
    return (lab[:, :, 1:] - 128.0) * (_GREY / (lab[:, :, :1] + 0.25 * _GREY))


def likeness_to(chroma: np.ndarray, colour: np.ndarray) -> np.ndarray:
    """Return how much of a colour is in each pixel, less what is in it of others."""
    along = chroma @ colour.astype(np.float32)
    across = np.abs(chroma @ np.array([-colour[1], colour[0]], np.float32))
    return np.maximum(along - across, 0.0)


def find_foot(likeness: np.ndarray, breadth: float, height: float) -> np.ndarray | None:
    """Find the lowest point of the block below its middle.

    :param breadth: px, expected of its side; ``height`` likewise.
    :return: (2,) px; None when the block is not there, or something stands before it.
    """
    mask = _mask(likeness)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    if count < 2:
        return None
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    box = stats[largest]
    whole = (
        box[cv2.CC_STAT_WIDTH] > _BLOCK_SHARE * breadth
        and box[cv2.CC_STAT_HEIGHT] > _BLOCK_SHARE * height
        and box[cv2.CC_STAT_AREA] > _BLOCK_SHARE * breadth * height
    )
    if not whole:
        return None
    lower = labels[box[cv2.CC_STAT_TOP] + box[cv2.CC_STAT_HEIGHT] // 3 :] == largest
    rows = lower[: max(1, 2 * box[cv2.CC_STAT_HEIGHT] // 3 - int(0.15 * height))]
    edges = [
        (columns[0], columns[-1] + 1.0) for row in rows if len(columns := np.flatnonzero(row))
    ]
    if not edges:
        return None
    left, right = np.median(edges, axis=0)
    if right - left < 0.8 * breadth:
        return None  # something stands before it
    middle = (left + right) / 2.0
    near = slice(int(middle) - 3, int(middle) + 4)
    bottoms = [np.flatnonzero(column) for column in (labels[:, near] == largest).T]
    bottoms = [found[-1] + 1.0 for found in bottoms if len(found)]
    return np.array([middle, np.median(bottoms)]) if bottoms else None


def find_stick(likeness: np.ndarray) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Return the upper end of the largest thing of a colour, and its direction, both in px."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(_mask(likeness), connectivity=8)
    if count < 2:
        return None, None
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    if stats[largest, cv2.CC_STAT_AREA] < _PIN_PIXELS:
        return None, None
    rows, columns = np.nonzero(labels == largest)
    points = np.stack([columns, rows], axis=1).astype(np.float32) + 0.5
    x, y, x0, y0 = cv2.fitLine(points, cv2.DIST_HUBER, 0, 0.01, 0.01).ravel()
    line = np.array([x, y]) if y <= 0.0 else -np.array([x, y])
    origin = np.array([x0, y0])
    along = (points - origin) @ line
    core = np.abs((points - origin) @ [-line[1], line[0]]) < 1.5
    strength = float(np.median(likeness[rows[core], columns[core]]))
    # on from the middle, where the colour falls to half of what it is along the pin
    reach = np.arange(float(np.median(along)), float(along.max()) + 4.0, 0.25)
    spots = origin + reach[:, None] * line
    profile = cv2.remap(
        likeness.astype(np.float32),
        (spots[:, 0] - 0.5).astype(np.float32)[None],
        (spots[:, 1] - 0.5).astype(np.float32)[None],
        cv2.INTER_LINEAR,
    )[0]
    inside = np.flatnonzero(profile >= 0.5 * strength)
    end = reach[inside[-1]] if len(inside) else float(along.max())
    return origin + end * line, line


def _mask(likeness: np.ndarray) -> np.ndarray:
    values = np.clip(2.0 * likeness, 0, 255).astype(np.uint8)
    coloured = values[values > _CHROMA]
    if not len(coloured):
        return np.zeros_like(values)
    level, _ = cv2.threshold(coloured, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    # Otsu parts the coloured from the half coloured, which are the outlines
    return (values > max(0.5 * level, _CHROMA)).astype(np.uint8)
