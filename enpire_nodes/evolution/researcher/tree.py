"""What is known of each idea, computed anew from commits and jobs: there is no other memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

from enpire_nodes.evolution.researcher.bandit import Count, probability_better
from enpire_nodes.evolution.researcher.plan import Plan
from enpire_nodes.evolution.researcher.repository import Commit


class Stage(Enum):
    """Where an idea stands."""

    NEW = 'new'  # no trial was asked for
    OPEN = 'open'  # promising: the next rung is due
    BUSY = 'busy'  # trials are under way
    LEADS = 'leads'
    DEAD = 'dead'


@dataclass(slots=True)
class Node:
    """An idea, or the start, and what its graded trials came to.

    :param fresh: without those that it was chosen by, its screening: only these are free of luck.
    :param rungs: jobs that were ended, each of which tested it.
    :param jobs: that are under way with it.
    """

    made: Commit
    count: Count = field(default_factory=Count)
    fresh: Count = field(default_factory=Count)
    rungs: int = 0
    jobs: int = 0
    refuted: bool = False


@dataclass(slots=True)
class Tree:
    """All ideas of this campaign, and the rules of the race between them.

    :param main: the commit that is confirmed now, which every idea must beat in the end.
    """

    plan: Plan
    main: str
    nodes: dict[str, Node] = field(default_factory=dict)

    @classmethod
    def of(cls, plan: Plan, main: str, commits: Iterable[Commit]) -> Tree:
        """Return a tree without trials."""
        nodes = {main: Node(Commit(main, '', '', 'the confirmed recipe'))}
        for made in commits:
            nodes.setdefault(made.commit, Node(made))
        return cls(plan, main, nodes)

    @property
    def leader(self) -> Node:
        """The best of those that were tested enough, or else what is confirmed."""
        best = self.nodes[self.main]
        for node in self.nodes.values():
            if node.count.trials < self.plan.enough or node.refuted or node is best:
                continue
            if probability_better(node.count, best.count) >= self._ahead(node, best):
                best = node
        return best

    def _ahead(self, node: Node, best: Node) -> float:
        # what merely looks better needs the margin; between two candidates the better mean leads
        return self.plan.lead if best.made.commit == self.main else 0.6

    def stage(self, node: Node) -> Stage:
        """Return where an idea stands, by what is known now."""
        leader = self.leader
        if node is leader:
            return Stage.LEADS
        if node.jobs:
            return Stage.BUSY
        if not node.rungs:
            return Stage.NEW
        if node.refuted or node.rungs >= len(self.plan.rungs) or self.hopeless(node):
            return Stage.DEAD
        return Stage.OPEN

    def better(self, node: Node) -> float:
        """Return the probability that an idea is better than the leader."""
        return probability_better(node.count, self.leader.count)

    def hopeless(self, node: Node, left: int = 0) -> bool:
        """Whether an idea falls short at this rung, even if all trials that are left succeed."""
        rung = min(max(0, node.rungs - (left == 0)), len(self.plan.keep) - 1)
        best = node.count + Count(left, left)
        return probability_better(best, self.leader.count) < self.plan.keep[rung]

    @property
    def base_due(self) -> int:
        """Trials that the start needs before further ideas are worth their screening."""
        base, size = self.nodes[self.main], self.plan.rungs[0]
        if base.count.trials < self.plan.base:
            return self.plan.base - base.count.trials
        perfect = probability_better(Count(size, size), base.count) >= self.plan.keep[0]
        if perfect or self.leader is not base:
            return 0
        return max(0, min(self.plan.base, self.plan.most_base - base.count.trials))

    def proven(self, node: Node) -> bool:
        """Whether an idea is worth a re-test: better than ``main`` after its screening."""
        base = self.nodes[self.main].count
        return (
            node.fresh.trials >= self.plan.proof
            and probability_better(node.fresh, base) >= self.plan.publish
        )

    def ideas(self) -> list[Node]:
        """Return all nodes but the confirmed one."""
        return [node for node in self.nodes.values() if node.made.idea]

    def dead(self) -> list[Node]:
        """Return the ideas that were given up."""
        return [node for node in self.ideas() if self.stage(node) is Stage.DEAD]
