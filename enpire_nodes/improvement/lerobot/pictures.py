"""Pictures as PNG in a column of a table, as the format keeps them without video."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import cv2
import numpy as np


def encode(images: np.ndarray) -> list[bytes]:
    """Encode (n, height, width, 3) uint8 RGB without loss."""
    return [
        cv2.imencode('.png', cv2.cvtColor(image, cv2.COLOR_RGB2BGR))[1].tobytes()
        for image in images
    ]


def decode(files: Iterable[bytes | None]) -> np.ndarray:
    """Decode pictures of one size into (n, height, width, 3) uint8 RGB.

    :raises ValueError: one is missing, damaged or of another size.
    """
    return np.stack([_decode(file) for file in files])


def as_cells(files: Sequence[bytes]) -> list[dict[str, bytes | str | None]]:
    """Return what the cells of an ``image`` column hold."""
    return [{'bytes': file, 'path': None} for file in files]


def _decode(file: bytes | None) -> np.ndarray:
    if not file:
        raise ValueError('a picture is not in the table itself')
    image = cv2.imdecode(np.frombuffer(file, dtype=np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError('a picture is damaged')
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
