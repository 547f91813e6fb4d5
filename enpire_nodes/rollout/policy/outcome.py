"""How an attempt ends, and what its state machine needs of the node that runs it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Protocol

import numpy as np

from enpire_nodes.common.errors import ErrorCode
from enpire_nodes.common.types import Command


class Outcome(IntEnum):
    """How it ended; numbered as in ``enpire_msgs/ExecutePolicy``."""

    UNSET = 0
    COMPLETED = 1
    TIMED_OUT = 2
    ABORTED = 3
    CANCELED = 4
    UNSAFE = 5


class Link(Protocol):
    """What an episode needs of the node."""

    def ask(self, features: dict[str, np.ndarray]) -> None:
        """Send features to the policy; its answer, or ``None`` at the deadline, comes later."""

    def sensed(self, stamp: Any) -> None:
        """Hear that the features of the control period that was stamped so are known."""

    def engage(self) -> None:
        """Take the motion lease for the working arm."""

    def send(self, command: Command, stamp: Any) -> None:
        """Send the command of the control period that was stamped so."""

    def release(self) -> None:
        """Give the lease back, if it was taken."""

    def finish(self, result: EpisodeResult) -> None:
        """Take the result; the episode is over."""

    def defect(self, trace: str) -> None:
        """Log the traceback of a defect in the executor or the task."""


@dataclass(frozen=True, slots=True)
class EpisodeResult:
    """The result of an attempt; stamps are those of control periods, ``None`` when never reached.

    :param can_retry: the object is still in the hand.
    :param duration: s of the station's clock, the policy alone.
    :param peak_force: N.
    :param depth: m.
    """

    outcome: Outcome
    code: ErrorCode
    message: str
    can_retry: bool
    start: Any
    settle_start: Any
    settled: Any
    steps: int
    deadline_misses: int
    duration: float
    peak_force: float
    depth: float
