"""Ways in which a judge that was accepted can break, to see who notices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
import math

import cv2
import numpy as np

from enpire_nodes.environment.setup import JudgeSetup

HEALTHY = 'as accepted'
TURN = math.radians(3.0)  # of a camera that was hit


def broken_judges(setup: JudgeSetup) -> Iterator[tuple[str, JudgeSetup]]:
    """Yield the judge as it is and as it may break, each with its name in words.

    A camera that was hit shows the same as one that believes to look elsewhere than it does. A
    task shows how its thresholds might be moved by a method ``loosened() -> Task``, if it has one.
    """
    yield HEALTHY, setup
    for name in setup.cameras:
        yield f'{name} camera turned {math.degrees(TURN):g}°', _turned(setup, name)
    if hasattr(setup.task, 'loosened'):
        yield 'thresholds moved', replace(setup, task=setup.task.loosened())
    if setup.eyes is not None and len(setup.eyes) > 1:
        yield 'weights exchanged', replace(setup, eyes=_exchanged(setup.eyes))


def _turned(setup: JudgeSetup, name: str) -> JudgeSetup:
    camera = setup.cameras[name]
    turn, _ = cv2.Rodrigues(np.array([0.0, TURN, 0.0]))
    believed = replace(camera, rotation=camera.rotation @ turn)
    return replace(setup, cameras={**setup.cameras, name: believed})


def _exchanged(eyes: Mapping[str, object]) -> dict[str, object]:
    """Give every camera the eye of the one before it."""
    names = list(eyes)
    return {name: eyes[names[index - 1]] for index, name in enumerate(names)}
