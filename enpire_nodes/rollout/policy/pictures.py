"""What a policy that learns from pictures is shown: the task's crops, scaled to one size."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from enpire_nodes.common.types import Frame
from enpire_nodes.tasks.eye import Crop

#: How the features of pictures are called: this, and the camera's name.
PREFIX = 'image/'


class Pictures:
    """Cuts the newest picture of each camera; one that has not changed is not cut again.

    :param crops: by camera, as the task gives them.
    :param size: px, of each side of the result.
    """

    def __init__(self, crops: Mapping[str, Crop], size: int) -> None:
        self._crops = {name: replace(crop, size=size) for name, crop in crops.items()}
        self._blank = np.zeros((size, size, 3), dtype=np.uint8)
        self._known: dict[str, tuple[float, np.ndarray]] = {}

    def __call__(self, frames: Mapping[str, Frame]) -> dict[str, np.ndarray]:
        """Return (size, size, 3) uint8 RGB by the name of the feature; black before the first.

        :raises WrongPictureError: a picture is of another size than its camera's.
        """
        shown = {}
        for name, crop in self._crops.items():
            frame = frames.get(name)
            stamp, picture = self._known.get(name, (-np.inf, self._blank))
            if frame is not None and frame.stamp > stamp:
                stamp, picture = frame.stamp, crop(frame.image)
                self._known[name] = (stamp, picture)
            shown[PREFIX + name] = picture
        return shown


def pictures_for(
    settings: Mapping[str, object], crops: Callable[[], Mapping[str, Crop]]
) -> Pictures | None:
    """Return what a controller asks for by its setting ``images`` (px); None for nothing.

    :param crops: of the task; asked for only when there are to be pictures.
    """
    size = settings.get('images', 0)
    return Pictures(crops(), int(size)) if size else None
