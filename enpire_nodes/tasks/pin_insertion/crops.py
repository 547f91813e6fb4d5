"""Which part of each picture shows whether the pin is in the hole: what a learned eye is given.

The window hangs on the calibration alone and not on where the block is seen, so that an eye shares
nothing with the geometric judge but the picture; it learns to bear a block that stands elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from enpire_nodes.common.cameras import Camera
from enpire_nodes.tasks.eye import Crop
from enpire_nodes.tasks.pin_insertion.settings import PinInsertionSettings
from enpire_nodes.tasks.pin_insertion.vision import Eyes

_ABOVE, _REACH = 0.015, 0.058  # m: centre above the rim; half of the window's sides
_SIZE = 64  # px


def hole_crops(cameras: Mapping[str, Camera], settings: PinInsertionSettings) -> dict[str, Crop]:
    """Return the window around the hole for each of the task's cameras."""
    own = {name: cameras[name] for name in settings.cameras}
    rim = settings.tray.height + settings.block.height
    point = np.array([*settings.block.centre, rim + _ABOVE])
    eyes = Eyes(own, settings)
    return {
        name: Crop((camera.width, camera.height), eyes.window(name, point, _REACH), _SIZE)
        for name, camera in own.items()
    }
