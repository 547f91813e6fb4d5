"""A second opinion on an attempt, by another method than the judge's: what a task may offer.

A task that has one offers a method ``second_opinion(cameras) -> SecondOpinion``. It must share
neither code nor thresholds nor weights with the task's verifier, and nothing that a policy is
shown or learns from may come from it: it sees a trial's bag after the verdict, and answers the
audits alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from enpire_nodes.common.cameras import Camera
from enpire_nodes.common.types import ArmState, Frame
from enpire_nodes.tasks.api import Outcome


@dataclass(frozen=True, slots=True)
class Opinion:
    """What it says, and the measurement in words; UNCERTAIN when it cannot tell."""

    outcome: Outcome
    reason: str


class SecondOpinion(Protocol):
    """Looks once more at what the judge was shown."""

    def opine(self, frames: Mapping[str, Sequence[Frame]], states: Sequence[ArmState]) -> Opinion:
        """Say what an attempt was.

        :param frames: by camera, oldest first, exposed after the arm had settled.
        :param states: of the working arm, from the policy's end until it had settled.
        """


def second_opinion_of(task: object, cameras: Mapping[str, Camera]) -> SecondOpinion | None:
    """Return a task's second opinion; None when it has none."""
    make = getattr(task, 'second_opinion', None)
    return make(cameras) if make is not None else None
