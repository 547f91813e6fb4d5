"""Pictures to learn from that are drawn in microseconds: a bright stick that is in or out."""

from __future__ import annotations

import numpy as np

from enpire_nodes.common.types import Frame
from enpire_nodes.environment.evidence import Evidence
from enpire_nodes.tasks.eye import Crop

CROPS = {name: Crop((80, 60), (10, 0, 70, 60), 32) for name in ('side', 'front')}


def draw(rng, *, success, missing=False, hidden=False):
    """Return a (60, 80, 3) picture: a stick stands low in a block, or high above it.

    :param missing: there is no stick.
    :param hidden: something stands in front of it.
    """
    image = np.full((60, 80, 3), rng.integers(40, 120), np.uint8)
    x = 40 + int(rng.integers(-4, 5))
    image[40:55, x - 12 : x + 12] = (20, 150, 150)
    low = 46 if success else 30
    if not missing:
        image[low - 20 : low, x - 3 : x + 3] = (230, 120, 20)
    if hidden:
        image[14:44, 20:60] = rng.integers(0, 256, 3)
    noisy = image + rng.normal(0.0, 4.0, image.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)


def episode(seed, *, label=None, success=None, frames=3, kind=''):
    """Return made-up evidence; ``success`` is what it shows, by default its label."""
    rng = np.random.default_rng(seed)
    shown = label if success is None else success
    missing = not shown and seed % 3 == 0
    return Evidence(
        frames={
            name: tuple(
                Frame(1.0 + index / 10.0, draw(rng, success=shown, missing=missing))
                for index in range(frames)
            )
            for name in CROPS
        },
        states=(),
        settle_start=0.0,
        settled=1.0,
        now=1.5,
        source=f'made-up {seed}',
        kind=kind,
        label=label,
    )
