"""How long one trial took, however it was run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from enpire_nodes.rollout.records import TrialRecord


@dataclass(frozen=True, slots=True)
class TrialTiming:
    """One trial.

    :param seed: of its starting pose.
    :param wall: s of the wall clock, from the end of the trial before to its own end, so that
        everything that a trial costs is in it.
    :param simulated: s of the station's clock over the same span.
    :param outcome: name of its outcome.
    :param attempts: how many it took.
    :param recoveries: of its reset.
    :param reset: s of the station's clock, like the two that follow.
    """

    seed: int
    wall: float
    simulated: float
    outcome: str
    attempts: int
    recoveries: int
    reset: float = 0.0
    execute: float = 0.0
    verify: float = 0.0

    @classmethod
    def of(cls, trial: TrialRecord, *, wall: float, simulated: float) -> TrialTiming:
        """Return the timing of a closed trial."""
        return cls(
            seed=trial.seed,
            wall=wall,
            simulated=simulated,
            outcome=trial.outcome.name,
            attempts=len(trial.attempts),
            recoveries=trial.reset_retries,
            reset=trial.reset_seconds,
            execute=trial.execute_seconds,
            verify=trial.verify_seconds,
        )

    @property
    def stages(self) -> float:
        """Time within reset, execution and verification, s of the station's clock."""
        return self.reset + self.execute + self.verify

    def like(self, other: TrialTiming) -> bool:
        """Whether both went the same way, so that their lengths may be compared."""
        return (self.outcome, self.attempts, self.recoveries) == (
            other.outcome,
            other.attempts,
            other.recoveries,
        )


def outcomes(timings: Iterable[TrialTiming]) -> str:
    """Return how often trials had which outcome, in words."""
    counts = Counter(timing.outcome for timing in timings)
    return ', '.join(f'{count} {outcome}' for outcome, count in counts.most_common())
