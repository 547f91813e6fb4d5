"""Pictures of episodes on one sheet, for a person who looks at what was judged, and how."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np

from enpire_nodes.common.writing import write_atomically
from enpire_nodes.environment.acceptance.judged import Judged
from enpire_nodes.environment.evidence import Evidence
from enpire_nodes.tasks.api import Outcome

_RED, _AMBER, _GREEN = (200, 40, 40), (220, 160, 30), (40, 150, 70)
_BAR, _EDGE, _TITLE, _EMPTY = 32, 3, 60, 640  # px


def tile(evidence: Evidence, judged: Judged | None = None) -> np.ndarray:
    """Return the newest picture of each camera side by side, under what was said of it.

    :param judged: gives the colour of the frame: wrong is red, UNCERTAIN amber, right green.
    :return: (height, width, 3) uint8 RGB.
    """
    pictures = [frames[-1].image for frames in evidence.frames.values() if frames]
    height = max((picture.shape[0] for picture in pictures), default=1)
    row = [
        cv2.copyMakeBorder(
            picture, 0, height - picture.shape[0], 0, 0, cv2.BORDER_CONSTANT, value=(0, 0, 0)
        )
        for picture in pictures
    ]
    shown = np.hstack(row) if row else np.zeros((1, 320, 3), np.uint8)
    bar = np.full((_BAR, shown.shape[1], 3), 24, np.uint8)
    words = [evidence.source]
    colour = (90, 90, 90)
    if judged is not None:
        truth = 'success' if judged.label else 'failure'
        words = [
            f'{evidence.source}: a {truth}, judged {judged.outcome.name}',
            ', '.join(f'{vote.source} {vote.verdict.name}' for vote in judged.votes),
        ]
        colour = _GREEN if not judged.wrong else _RED
        if judged.outcome is Outcome.UNCERTAIN:
            colour = _AMBER
    for line, text in enumerate(words):
        _put(bar, text, (5, 13 + 14 * line), 0.4)
    whole = np.vstack([bar, shown])
    return cv2.copyMakeBorder(whole, _EDGE, _EDGE, _EDGE, _EDGE, cv2.BORDER_CONSTANT, value=colour)


def sheet(tiles: Sequence[np.ndarray], title: str, *, columns: int = 2) -> np.ndarray:
    """Return tiles in rows on black, below a title.

    :return: (height, width, 3) uint8 RGB.
    """
    height = max((one.shape[0] for one in tiles), default=0)
    width = max((one.shape[1] for one in tiles), default=_EMPTY // columns)
    rows = -(-len(tiles) // columns)
    whole = np.zeros((_TITLE + rows * height, columns * width, 3), np.uint8)
    _put(whole, title, (12, 36), 0.7)
    for index, one in enumerate(tiles):
        top, left = _TITLE + index // columns * height, index % columns * width
        whole[top : top + one.shape[0], left : left + one.shape[1]] = one
    return whole


def write(picture: np.ndarray, path: Path) -> None:
    """Write a PNG, whole or not at all."""
    done, content = cv2.imencode('.png', cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    if not done:
        raise ValueError(f'a picture of {picture.shape} cannot be written as PNG')
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, content.tobytes())


def worst_first(episodes: Iterable[Judged]) -> list[Judged]:
    """Return what was not judged rightly: false positives, false negatives, then UNCERTAIN."""
    return sorted(
        (one for one in episodes if one.wrong),
        key=lambda one: (not one.false_positive, one.outcome is Outcome.UNCERTAIN),
    )


def examples(episodes: Iterable[Judged], *, each: int = 2) -> list[Judged]:
    """Return the first few episodes of every kind, kind by kind."""
    by_kind: dict[str, list[Judged]] = {}
    for one in episodes:
        by_kind.setdefault(one.kind, []).append(one)
    return [one for kind in sorted(by_kind) for one in by_kind[kind][:each]]


def _put(picture: np.ndarray, text: str, place: tuple[int, int], size: float) -> None:
    """Write light letters into a picture; ``place`` in px is where they stand."""
    cv2.putText(
        picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, size, (235, 235, 235), 1, cv2.LINE_AA
    )
