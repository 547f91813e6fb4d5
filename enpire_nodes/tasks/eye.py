"""What a task and a learned eye agree on: which part of a picture matters, and how sure to be.

A task says which crop of each camera it is judged by (``Task.crops``). An eye is trained on such
crops (:mod:`enpire_nodes.environment.learned`) and is handed to ``Task.verifier``, which knows it
by the protocol here alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import cv2
import numpy as np

from enpire_nodes.tasks.api import Outcome


class WrongPictureError(ValueError):
    """A picture that is not of the size for which a crop was made."""


@dataclass(frozen=True, slots=True)
class Crop:
    """A window of a camera's picture, scaled to a square.

    :param picture: px, width and height of the pictures that it belongs to.
    :param window: px, left, top, right and bottom of the part that is shown.
    :param size: px, of each side of the result.
    """

    picture: tuple[int, int]
    window: tuple[int, int, int, int]
    size: int = 64

    def __post_init__(self) -> None:
        """Refuse a window that shows nothing."""
        (width, height), (left, top, right, bottom) = self.picture, self.window
        if not (0 <= left < right <= width and 0 <= top < bottom <= height and self.size > 0):
            raise ValueError(f'the window {self.window} does not lie in a picture {self.picture}')

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Cut a (height, width, 3) uint8 picture; return (size, size, 3) uint8.

        :raises WrongPictureError: the picture has another size or type.
        """
        width, height = self.picture
        if image.shape != (height, width, 3) or image.dtype != np.uint8:
            raise WrongPictureError(
                f'the picture is {image.dtype} {image.shape}, not uint8 ({height}, {width}, 3)'
            )
        left, top, right, bottom = self.window
        return cv2.resize(
            image[top:bottom, left:right], (self.size, self.size), interpolation=cv2.INTER_AREA
        )

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON types."""
        return {'picture': list(self.picture), 'window': list(self.window), 'size': self.size}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Crop:
        """Read what :meth:`to_json` made.

        :raises ValueError: it is no crop; also KeyError and TypeError.
        """
        width, height = (int(value) for value in data['picture'])
        left, top, right, bottom = (int(value) for value in data['window'])
        return cls((width, height), (left, top, right, bottom), int(data['size']))


class Eye(Protocol):
    """Judges one picture of one camera by what it was taught."""

    #: sha256 of everything that decides what it says.
    digest: str

    def score(self, image: np.ndarray) -> float:
        """Return the calibrated probability of success, 0 to 1, by a (height, width, 3) picture.

        :raises WrongPictureError: the picture has another size or type than those it learned from.
        """

    def verdict(self, score: float) -> Outcome:
        """Tell what a score means; between its two thresholds it is UNCERTAIN."""
