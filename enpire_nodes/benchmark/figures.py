"""One figure of the bench: what was measured, what it should be, and why it is missing."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
import math
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured value and its goal.

    :param key: for programs that read the JSON, for example ``jitter_p99``.
    :param name: for people.
    :param value: in ``unit``; None when it could not be measured.
    :param goal: the value may be at most this; None when nothing was asked for.
    :param detail: how it was measured, and what belongs to it.
    :param missing: why there is no value.
    :param data: further numbers, for the JSON alone.
    """

    key: str
    name: str
    value: float | None
    unit: str
    goal: float | None = None
    detail: str = ''
    missing: str = ''
    data: dict[str, Any] = field(default_factory=dict)

    @property
    def reached(self) -> bool | None:
        """Whether the goal is reached; None without a goal or without a value."""
        if self.goal is None or self.value is None:
            return None
        return math.isfinite(self.value) and self.value <= self.goal

    def plain(self) -> dict[str, Any]:
        """Return it as JSON takes it."""
        return {**asdict(self), 'reached': self.reached}


def missing(key: str, name: str, why: str, *, unit: str = '', goal: float | None = None) -> Figure:
    """Return a figure that could not be measured."""
    return Figure(key, name, None, unit, goal, missing=why)
