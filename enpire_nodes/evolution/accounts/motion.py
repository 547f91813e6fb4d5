"""One attempt as it moved: where the object and the tool were, and what the wrist felt.

All of it comes from the features that the policy was told. A task need not have every one of them:
what is missing is NaN here, and whoever reads it must bear that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

TOUCH = 3.0  # N; motion through the air alone is felt as up to about 2 N
_BESIDE = 0.003  # m off the goal
_HOLD = 3  # periods in a row that a touch lasts at least


@dataclass(frozen=True)
class Motion:
    """``n`` control periods; positions relative to the goal along ``world``.

    :param time: (n,) s since the first.
    :param tool: (n, 3) m, where the tool was; ``target``, where it had been sent.
    :param seen: (n, 3) m, where the cameras saw the object's tip; NaN when they did not.
    :param force: (n, 3) N, tared at the start.
    :param width: (n,) m, between the fingers.
    """

    time: np.ndarray
    tool: np.ndarray
    target: np.ndarray
    seen: np.ndarray
    force: np.ndarray
    width: np.ndarray

    @classmethod
    def of(cls, rows: Sequence[tuple[float, Mapping[str, np.ndarray]]]) -> Motion:
        """Make it of stamps and features, of at least one row."""
        stamps = np.array([stamp for stamp, _ in rows], dtype=float)
        features = [given for _, given in rows]
        seen = _column(features, 'tip', 3)
        valid = _column(features, 'tip_valid', 1)[:, 0]
        seen[valid == 0.0] = np.nan
        return cls(
            time=stamps - stamps[0],
            tool=_column(features, 'tcp', 3),
            target=_column(features, 'target', 3),
            seen=seen,
            force=_column(features, 'force', 3),
            width=_column(features, 'gripper', 1)[:, 0],
        )

    @cached_property
    def held(self) -> np.ndarray:
        """(n, 3) m: the object's tip as if it kept its place in the hand since the start.

        Cameras cannot follow it into a hole; where it was never seen, it is the tool itself.
        """
        known = np.flatnonzero(np.isfinite(self.seen[:, 0]) & np.isfinite(self.tool[:, 0]))
        if not len(known):
            return self.tool if np.isfinite(self.tool).any() else self.seen
        first = int(known[0])
        return self.tool + (self.seen[first] - self.tool[first])

    @cached_property
    def tip(self) -> np.ndarray:
        """(n, 3) m: the object's tip as it was seen, or as it was held while it was not seen."""
        return np.where(np.isfinite(self.seen), self.seen, self.held)

    @property
    def slipped(self) -> float:
        """How much higher than held the tip was seen, beside the goal, at the deepest point, m.

        Within the goal it is hidden, and looks as high as the rim; that is not meant.
        """
        if not self.sighted or not np.isfinite(self.depth).any():
            return 0.0
        place = int(np.nanargmax(self.depth))
        higher = float(self.tip[place, 2] - self.held[place, 2])
        return higher if self.aside(place) > _BESIDE else 0.0

    @property
    def sighted(self) -> bool:
        """Whether the object's tip was seen, so that depths are below the goal."""
        return bool(np.isfinite(self.seen).any())

    @cached_property
    def depth(self) -> np.ndarray:
        """(n,) m, of the held tip below the goal, or of the tool below its start."""
        height = self.held[:, 2] if self.sighted else self.tool[:, 2] - self.tool[0, 2]
        return -height

    @cached_property
    def press(self) -> np.ndarray:
        """(n,) N, the norm of the force."""
        return np.linalg.norm(self.force, axis=1)

    @cached_property
    def touch(self) -> int | None:
        """The first period of the first lasting touch."""
        felt = self.press >= TOUCH
        for place in range(len(felt) - _HOLD + 1):
            if felt[place : place + _HOLD].all():
                return place
        return None

    def aside(self, place: int) -> float:
        """Return how far beside the goal the tip was, m."""
        return float(np.hypot(*self.tip[place, :2]))


def _column(features: Sequence[Mapping[str, np.ndarray]], name: str, size: int) -> np.ndarray:
    column = np.full((len(features), size), np.nan)
    for row, given in zip(column, features, strict=True):
        values = np.asarray(given.get(name, ()), dtype=float).ravel()[:size]
        row[: len(values)] = values
    return column
