"""A world with a truth, a judge that votes on it as the pin's does, and ways to break it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from enpire_nodes.common.errors import ErrorCode
from enpire_nodes.rollout.records import VerdictOutcome
from enpire_nodes.tasks.api import Outcome, Vote
from enpire_nodes.tasks.pin_insertion.ballot import count_votes

DEEP = 0.020  # m below the rim: a success


@dataclass
class World:
    """Attempts that end at some depth: in the hole, half-way, or on the rim."""

    rng: np.random.Generator
    shares: tuple[float, float, float] = (0.5, 0.2, 0.3)
    depth: float = 0.0

    def attempt(self) -> None:
        """Let a policy try."""
        where = self.rng.choice(3, p=self.shares)
        low, high = ((0.026, 0.040), (0.004, 0.014), (-0.004, 0.0))[where]
        self.depth = float(self.rng.uniform(low, high))

    @property
    def success(self) -> bool:
        return self.depth >= DEEP


@dataclass
class CountingJudge:
    """Two cameras that measure the depth to 1 mm, and a hand that feels walls from 3 mm on."""

    world: World
    thresholds: dict[str, float] = field(
        default_factory=lambda: {'camera/side': DEEP, 'camera/front': DEEP}
    )
    inverted: str = ''
    resolved: bool = False

    def decide(self) -> VerdictOutcome:
        if self.resolved:
            return VerdictOutcome.SUCCESS
        votes = []
        for source, threshold in self.thresholds.items():
            seen = self.world.depth + 0.001 * self.world.rng.standard_normal()
            votes.append(_vote(source, (seen >= threshold) != (source == self.inverted)))
        votes.append(_vote('force', self.world.depth > 0.003))
        judgement = count_votes(tuple(votes), [ErrorCode.NONE] * 3, latency=0.0)
        return VerdictOutcome(int(judgement.outcome))


def _vote(source: str, success: bool) -> Vote:
    outcome = Outcome.SUCCESS if success else Outcome.FAILURE
    return Vote(source, outcome, float(success), 3, 0.05, 'as measured')


def always_success(judge: CountingJudge) -> None:
    judge.resolved = True


def threshold_moved(judge: CountingJudge) -> None:
    judge.thresholds = dict.fromkeys(judge.thresholds, 0.002)


def camera_inverted(judge: CountingJudge) -> None:
    judge.inverted = 'camera/side'


BREAKS: dict[str, Callable[[CountingJudge], None]] = {
    'says SUCCESS always': always_success,
    'threshold moved from 20 to 2 mm': threshold_moved,
    "one camera's vote inverted": camera_inverted,
}
