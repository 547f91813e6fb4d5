"""One request to judge an attempt, from its first call to its verdict. Plain; knows no ROS."""

from __future__ import annotations

from dataclasses import dataclass, field

from enpire_nodes.tasks.api import Judgement, Verifier


@dataclass(slots=True)
class JudgeRequest:
    """An attempt that somebody wants judged.

    :param trial_id: of the trial.
    :param attempt: within the trial, from 1.
    :param settle_start: s, when the policy had ended.
    :param settled: s, when the arm had let go and retreated.
    :param min_frames: per camera; 0 takes the verifier's own minimum.
    :param deadline: s of the station's clock; then it is decided on what is there.
    :param wall_deadline: s of the monotonic clock, for a station whose clock stands still.
    """

    trial_id: str
    attempt: int
    settle_start: float
    settled: float
    min_frames: int
    deadline: float
    wall_deadline: float
    judgement: Judgement | None = field(default=None, init=False)

    def is_for(self, trial_id: str, attempt: int, settled: float) -> bool:
        """Whether this is the same look at the same attempt."""
        return (self.trial_id, self.attempt, self.settled) == (trial_id, attempt, settled)

    def decide_if_due(self, verifier: Verifier, *, now: float, wall: float) -> bool:
        """Judge once the evidence suffices or the time is up; return whether it did so now."""
        if self.judgement is not None:
            return False
        evidence = {
            'settle_start': self.settle_start,
            'settled': self.settled,
            'min_frames': self.min_frames,
        }
        late = now >= self.deadline or wall >= self.wall_deadline
        if not late and not verifier.ready(**evidence):
            return False
        self.judgement = verifier.decide(now=now, **evidence)
        return True
