"""Pictures of one scene under other light, by a moved camera, and with something in the way."""

from __future__ import annotations

import cv2
import numpy as np


def augment(
    crops: np.ndarray, labels: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Change every crop at random, by as much as a bench may change between two days.

    Shifts to 6 % of the side, turns to 2.5 degrees, 5 % of size; light from 0.55 to 1.45 of what
    it was with gamma 0.8 to 1.25 and 6 % of tint; noise to 8 grey levels, blur, and small patches.
    One in twelve gets a large patch over its middle: it is no success then, whatever it was,
    for an eye shall say SUCCESS of what it sees alone.

    :param crops: (n, size, size, 3) uint8.
    :param labels: (n,) bool.
    :return: uint8 crops and float32 targets of the same lengths.
    """
    changed = np.stack([_one(crop, rng) for crop in crops])
    targets = labels.astype(np.float32)
    for index in np.flatnonzero(rng.uniform(size=len(crops)) < 1.0 / 12.0):
        _cover(changed[index], rng, share=(0.45, 0.8), centre=(0.4, 0.6))
        targets[index] = 0.0
    return changed, targets


def _one(crop: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    moved = _move(crop, rng)
    table = np.linspace(0.0, 1.0, 256)[:, None] ** rng.uniform(0.8, 1.25)
    gains = rng.uniform(0.55, 1.45) * (1.0 + rng.uniform(-0.06, 0.06, 3))
    table = np.clip(255.0 * table * gains, 0.0, 255.0).astype(np.uint8)
    moved = cv2.LUT(moved, table[:, None, :])
    if rng.uniform() < 0.25:
        moved = cv2.GaussianBlur(moved, (3, 3), rng.uniform(0.3, 1.0))
    if rng.uniform() < 0.25:
        _cover(moved, rng, share=(0.08, 0.2), centre=(0.0, 1.0))
    noise = np.empty(crop.shape, np.int16)
    cv2.setRNGSeed(int(rng.integers(2**31)))
    cv2.randn(noise, 0.0, float(rng.uniform(0.0, 8.0)))
    return np.clip(moved + noise, 0, 255).astype(np.uint8)


def _move(crop: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    size = crop.shape[0]
    middle = (size - 1) / 2.0
    matrix = cv2.getRotationMatrix2D(
        (middle, middle), rng.uniform(-2.5, 2.5), rng.uniform(0.95, 1.05)
    )
    matrix[:, 2] += rng.uniform(-0.06, 0.06, 2) * size
    return cv2.warpAffine(crop, matrix, (size, size), borderMode=cv2.BORDER_REPLICATE)


def _cover(
    crop: np.ndarray,
    rng: np.random.Generator,
    *,
    share: tuple[float, float],
    centre: tuple[float, float],
) -> None:
    """Paint a patch of one colour over a crop, in place; sizes and places in shares of a side."""
    size = crop.shape[0]
    half = rng.uniform(*share, 2) * size / 2.0
    middle = rng.uniform(*centre, 2) * size
    low, high = np.clip([middle - half, middle + half], 0, size).astype(int)
    crop[low[0] : high[0], low[1] : high[1]] = rng.integers(0, 256, 3)
