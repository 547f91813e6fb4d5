"""The idea tree as data: every idea that was committed, dead ends included."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
import math

from enpire_nodes.evolution.records import Tokens


class IdeaState(IntEnum):
    """What is known of an idea; what is above DEAD was not given up."""

    #: No trial has graded it.
    UNTESTED = 0
    #: Measured to be no better, or left behind by its author.
    DEAD = 1
    #: Tested, and nothing speaks against it.
    ALIVE = 2
    #: Better than what it was compared with, on fresh seeds shared by both.
    BETTER = 3
    #: A block that was declared beforehand confirmed it.
    CONFIRMED = 4
    #: What ``main`` is.
    MAIN = 5


@dataclass(frozen=True, slots=True)
class Effect:
    """What came of comparing an idea with another, on the same seeds, at the first attempts.

    :param against: commit of the other.
    :param repeated: whether the station ran it to see if a claim holds, on fresh seeds.
    :param wins: pairs that the idea alone won; ``losses`` that the other alone won.
    :param difference: of the rates; ``lower`` and ``upper`` are Tango's 95 % score interval.
    :param p_value: one-sided, Barnard's exact test that the idea is better.
    """

    job_id: str
    against: str
    repeated: bool
    pairs: int
    wins: int
    losses: int
    difference: float
    lower: float
    upper: float
    p_value: float


@dataclass(frozen=True, slots=True)
class Idea:
    """One commit and what was measured of it.

    :param station: of its author; empty for the commit that a campaign began with.
    :param seconds: s since the campaign began, when the station first saw it.
    :param successes: of the ``trials`` that grade it and count (pass@k);
        ``first_attempt_successes`` likewise (pass@1); ``excluded`` do not count.
    :param lower: two-sided 95 % Clopper-Pearson bounds of pass@k, ``upper`` likewise.
    :param tokens: that the author's model spent since the author's commit before this one, of
        whatever idea; None when they are not known here.
    :param why: of its state, in words.
    """

    commit: str
    parent: str
    subject: str
    station: str
    seconds: float = 0.0
    borrowed: tuple[str, ...] = ()
    successes: int = 0
    first_attempt_successes: int = 0
    trials: int = 0
    excluded: int = 0
    lower: float = 0.0
    upper: float = 1.0
    robot_seconds: float = 0.0
    tokens: Tokens | None = None
    effects: tuple[Effect, ...] = ()
    state: IdeaState = IdeaState.UNTESTED
    why: str = ''

    @property
    def rate(self) -> float:
        """Share of successes (pass@k); NaN before the first trial."""
        return self.successes / self.trials if self.trials else math.nan

    @property
    def first_attempt_rate(self) -> float:
        """Share of successes at the first attempt (pass@1); NaN before the first trial."""
        return self.first_attempt_successes / self.trials if self.trials else math.nan

    @property
    def effect(self) -> Effect | None:
        """The comparison to quote: a repetition before a screening, then the longest."""
        return max(self.effects, key=lambda e: (e.repeated, e.pairs), default=None)


@dataclass(frozen=True, slots=True)
class IdeaTree:
    """Ideas by their commits, parents before children.

    :param problems: where Git and the journal tell different stories.
    """

    ideas: Mapping[str, Idea] = field(default_factory=dict)
    root: str = ''
    target: float = math.nan
    problems: tuple[str, ...] = ()

    def children(self, commit: str) -> list[Idea]:
        """Return the ideas that were made from a commit, oldest first."""
        return [idea for idea in self.ideas.values() if idea.parent == commit]

    def ancestry(self, commit: str) -> Iterator[Idea]:
        """Yield an idea, its parent, and so on to the root."""
        while commit in self.ideas:
            yield self.ideas[commit]
            commit = self.ideas[commit].parent

    @property
    def best(self) -> Idea | None:
        """The idea that the winning path leads to: main, else the one in the best state."""
        ranked = [idea for idea in self.ideas.values() if idea.trials]
        return max(ranked, key=lambda i: (i.state, i.lower, -i.seconds), default=None)

    @property
    def winning(self) -> tuple[str, ...]:
        """The commits from the root to the best idea."""
        return (
            tuple(idea.commit for idea in self.ancestry(self.best.commit))[::-1]
            if (self.best)
            else ()
        )
