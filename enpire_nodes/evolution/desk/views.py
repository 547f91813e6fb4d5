"""What travels over the trial socket: plain records, as JSON by :func:`to_json`.

NaN says that a figure is not known; it travels as ``null``. Unknown keys are ignored, and a field
that is missing keeps its default, so that an older client can speak with a newer station. Commits
are full hashes, weights sha256 of the artifact store, rates and bounds shares from 0 to 1.
"""

from __future__ import annotations

from dataclasses import dataclass, field
import math

from enpire_nodes.rollout.record_json import from_json, to_json

__all__ = [
    'ENDED',
    'ArmView',
    'BudgetLine',
    'HistoryView',
    'IdeaView',
    'JobView',
    'SimilarIdea',
    'TrialAsk',
    'from_json',
    'to_json',
]

#: States of a job that it does not leave.
ENDED = ('done', 'canceled', 'failed')


@dataclass(frozen=True, slots=True)
class TrialAsk:
    """Trials that the agent asks for.

    :param commit: of the recipe; the hub must have it.
    :param weights: empty for a recipe that needs none.
    :param trials: of each arm.
    :param attempts: of the policy, at most, in each trial.
    :param explore: ungraded trials, with the noise that the policy explores with.
    :param against: a second commit, or ``main``, to run in turn on the same seeds; empty for none.
    :param against_weights: empty for the ones that it was last tested with.
    :param seeds_of: a job whose seeds are drawn again; empty for new ones.
    """

    commit: str
    weights: str = ''
    trials: int = 10
    attempts: int = 1
    explore: bool = False
    against: str = ''
    against_weights: str = ''
    seeds_of: str = ''


@dataclass(frozen=True, slots=True)
class ArmView:
    """What one recipe has achieved within a job.

    :param trials: counted ones; ``excluded`` are those that a proven cause outside the policy
        spoilt.
    :param lower: one-sided 95 % bound of the success rate; ``upper`` likewise.
    """

    commit: str = ''
    idea: str = ''
    successes: int = 0
    first_attempt_successes: int = 0
    trials: int = 0
    excluded: int = 0
    lower: float = math.nan
    upper: float = math.nan
    trial_ids: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class JobView:
    """Where a job stands.

    :param kind: ``test``, ``confirm``, ``retest``, ``demonstrate`` or ``explore``.
    :param state: ``queued``, ``running``, or one of :data:`ENDED`.
    :param trials: of all arms together; ``done`` of them have ended.
    :param ahead: trials that the queue has before its next one.
    :param seconds_left: estimate, s; NaN when nothing can be said.
    :param p_value: of the difference between two arms; NaN for one.
    :param words: what to do next.
    :param requester: ``agent``, or ``station`` for its own work; empty when it is not told.
    """

    job_id: str
    kind: str = ''
    state: str = ''
    message: str = ''
    arms: tuple[ArmView, ...] = ()
    trials: int = 0
    done: int = 0
    ahead: int = 0
    seconds_left: float = math.nan
    p_value: float = math.nan
    words: str = ''
    requester: str = ''

    @property
    def ended(self) -> bool:
        """Whether it will not change any more."""
        return self.state in ENDED


@dataclass(frozen=True, slots=True)
class BudgetLine:
    """One budget; ``limit`` 0 is none."""

    name: str
    used: float = 0.0
    limit: float = 0.0
    unit: str = ''


@dataclass(frozen=True, slots=True)
class IdeaView:
    """A commit, and what its trials came to.

    :param short: of the hash, for people.
    :param subject: the hypothesis.
    :param borrowed: commits that its author says it borrows from.
    :param state: ``untested``, ``dead``, ``alive``, ``better`` or ``confirmed``.
    :param effect: its success rate less that of what it was compared with; NaN when it was not.
    :param effect_lower: bounds of ``effect``; ``p_value`` of there being none.
    :param weights: that it was last tested with.
    :param stamp: s since the campaign began.
    """

    commit: str
    short: str = ''
    subject: str = ''
    station: str = ''
    parent: str = ''
    borrowed: tuple[str, ...] = ()
    state: str = 'untested'
    trials: int = 0
    successes: int = 0
    first_attempt_successes: int = 0
    lower: float = math.nan
    upper: float = math.nan
    effect: float = math.nan
    effect_lower: float = math.nan
    effect_upper: float = math.nan
    p_value: float = math.nan
    robot_seconds: float = 0.0
    weights: str = ''
    stamp: float = 0.0


@dataclass(frozen=True, slots=True)
class HistoryView:
    """All that was tried, oldest first.

    :param best: commit that did best so far; empty before any trial.
    :param incumbent: commit of ``main``.
    :param plateau: ideas since the last improvement.
    :param near_misses: commits that may be better than what they were compared with, but too few
        trials say so.
    :param words: what to make of it.
    """

    ideas: tuple[IdeaView, ...] = ()
    best: str = ''
    incumbent: str = ''
    plateau: int = 0
    near_misses: tuple[str, ...] = ()
    words: str = ''


@dataclass(frozen=True, slots=True)
class SimilarIdea:
    """An earlier idea that sounds like a new one; ``likeness`` from 0 to 1."""

    commit: str
    subject: str = ''
    likeness: float = 0.0
    outcome: str = ''
