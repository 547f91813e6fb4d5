"""The loop of the researcher: look, judge, and keep the robot's queue filled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
import math
from typing import Protocol

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.evolution.desk.views import BudgetLine, HistoryView, JobView, TrialAsk
from enpire_nodes.evolution.researcher.bandit import Count
from enpire_nodes.evolution.researcher.catalogue import idea_named
from enpire_nodes.evolution.researcher.plan import Plan, plan_for
from enpire_nodes.evolution.researcher.proposer import Proposer
from enpire_nodes.evolution.researcher.repository import Repository
from enpire_nodes.evolution.researcher.training import Trainer
from enpire_nodes.evolution.researcher.tree import Node, Stage, Tree

_DEPTH = 2  # jobs in the queue: one that runs, one that is next
_WAIT = 2.0  # s of a look at the job that runs
_OVER = ('over', 'stopping')  # states of a campaign
_BACKGROUND = 16  # trials of the station's own comparisons at most: a proposal's re-test has more


class Station(Protocol):
    """What the researcher uses of :class:`~enpire_nodes.evolution.tool.client.DeskClient`."""

    def status(self) -> dict:
        """Return where the campaign stands."""

    def submit(self, ask: TrialAsk) -> JobView:
        """Queue trials."""

    def job(self, job_id: str, *, wait: float = 0.0) -> JobView:
        """Return a job."""

    def cancel(self, job_id: str) -> JobView:
        """Run no more trials of a job."""

    def jobs(self) -> list[JobView]:
        """Return all jobs."""

    def history(self) -> HistoryView:
        """Return what was tried."""

    def idea(self, sentence: str) -> dict:
        """Claim an idea."""

    def publish(self, commit: str, weights: str = '') -> JobView:
        """Propose a commit for ``main``."""

    def store(self, content: bytes) -> str:
        """Keep weights."""

    def budget(self) -> list[BudgetLine]:
        """Return what was used."""


@dataclass(slots=True)
class Room:
    """What is left of the budgets."""

    trials: float = math.inf
    seconds: float = math.inf
    per_trial: float = 5.0
    spent: bool = False

    @classmethod
    def of(cls, lines: list[BudgetLine], *, done: int) -> Room:
        """Return what the lines leave.

        :param done: trials that were run so far, to tell how long one takes.
        """
        room = cls()
        for line in lines:
            if line.limit <= 0.0:
                continue
            left = line.limit - line.used
            room.spent = room.spent or not left > 0.0
            if line.name == 'trials':
                room.trials = left
            elif line.name in ('wall_clock', 'robot_time'):
                if done >= 5:
                    room.per_trial = max(room.per_trial, line.used / done)
                room.seconds = min(room.seconds, left)
        return room

    @property
    def most(self) -> float:
        """Trials that can still be run."""
        return min(self.trials, self.seconds / self.per_trial)


@dataclass(slots=True)
class Researcher:
    """Works a campaign off; knows nothing that commits and jobs do not tell.

    :param plan: None to fit it to the budgets.
    :param say: takes a line for the log.
    """

    station: Station
    repository: Repository
    proposer: Proposer
    trainer: Trainer
    plan: Plan | None = None
    say: Callable[[str], None] = print
    _told: set[str] = field(default_factory=set)
    _proposed: set[str] = field(default_factory=set)

    def run(self, *, wait: float = _WAIT) -> str:
        """Research until nothing is left to do; return why it ended."""
        while True:
            reason = self.step(wait=wait)
            if reason:
                self.say(reason)
                return reason

    def step(self, *, wait: float = _WAIT) -> str:
        """Look once and act; return why research is over, or nothing.

        :param wait: s to wait for the job that runs, when there is nothing else to do.
        """
        status = self.station.status()
        state = str(status.get('state', ''))
        if status.get('certified') or state in _OVER:
            return 'the target is certified' if status.get('certified') else 'the campaign is over'
        jobs = self.station.jobs()
        room = Room.of(self.station.budget(), done=sum(job.done for job in jobs))
        if room.spent:
            return 'a budget is used up'
        if self.plan is None:
            limits = [BudgetLine(line.name, 0.0, line.limit) for line in self.station.budget()]
            whole = Room.of(limits, done=0)
            self.plan = plan_for(whole.trials, whole.seconds)
        self.repository.fetch()
        tree = self.look(jobs)
        for node in tree.dead():
            self._tell(node, f'given up: {node.made.subject} ({node.count})')
        live = [job for job in jobs if not job.ended]
        judging = [job for job in live if self._judges(job)]
        self._cut_short(tree, live)
        tests = [job for job in live if job.kind == 'test']
        try:
            acted = self._act(tree, room, tests, judging, jobs)
        except StationError as error:
            if error.code is ErrorCode.SUPERVISOR_BUDGET_USED:
                return error.message
            if error.code is not ErrorCode.SUPERVISOR_JOB_REFUSED or not live:
                raise
            self.say(f'not now: {error.message}')  # it may be taken when what is queued has run
            acted = False
        if acted:
            return ''
        if live or self.trainer.busy:
            self.station.job(live[0].job_id, wait=wait) if live else self.trainer.wait(wait)
            return ''
        return 'nothing is left to try'

    def look(self, jobs: list[JobView]) -> Tree:
        """Return what is known by now."""
        main = self.repository.main
        tree = Tree.of(self.plan or Plan(), main, self.repository.ideas())
        for job in jobs:
            if job.kind == 'explore':
                continue
            for arm in job.arms:
                node = tree.nodes.get(arm.commit)
                if node is None:
                    continue
                node.count += Count(arm.first_attempt_successes, arm.trials)
                if job.kind == 'test':
                    # an arm that only serves as the comparison goes through no rung
                    tested = arm is job.arms[0] or len(job.arms) == 1
                    if not tested or node.rungs or node.made.commit == main:
                        node.fresh += Count(arm.first_attempt_successes, arm.trials)
                    node.rungs += tested and job.ended and arm.trials > 0
                    node.jobs += tested and not job.ended
                    continue
                node.fresh += Count(arm.first_attempt_successes, arm.trials)
                proposed = self._judges(job) and job.kind == 'retest' and arm is job.arms[0]
                if proposed and job.ended and arm.commit != main and not _bore_out(job, jobs):
                    node.refuted = True
        return tree

    def _act(
        self, tree: Tree, room: Room, tests: list[JobView], judging: list[JobView],
        jobs: list[JobView],
    ) -> bool:  # fmt: skip
        """Put one thing into the queue, or prepare it; return whether there was something."""
        plan = tree.plan
        queued = sum(max(0, job.trials - job.done) for job in [*tests, *judging])
        free = room.most - queued
        base, leader = tree.nodes[tree.main], tree.leader
        if len(tests) >= _DEPTH:
            return False
        if self._ripe(tree, room.most - sum(max(0, j.trials - j.done) for j in tests), judging):
            job = self.station.publish(leader.made.commit, self._weights(leader))
            self._proposed.add(job.job_id)
            self.say(f'published {leader.made.commit[:10]} ({leader.count}): {job.words}')
            return True
        # what a re-test and a block would take is kept once there is something to propose
        owed = 0 if judging or leader is base or self._refuted_often(tree) else plan.reserve
        if any(job.kind == 'retest' for job in judging):
            owed = max(0, plan.reserve - sum(j.trials for j in judging))
        if tree.base_due and not base.jobs:
            return self._test(base, tree.base_due, free)
        for node in tree.ideas():
            stage = tree.stage(node)
            if stage is Stage.OPEN or (stage is Stage.NEW and self._mine(tree, node)):
                size = plan.rungs[min(node.rungs, len(plan.rungs) - 1)]
                paired = node.rungs >= plan.paired
                cost = size * (1 + paired)
                if free - cost >= owed and self._ready(node):
                    against = leader if paired else None
                    return self._test(node, size, free, against)
        thin = leader is not base and leader.fresh.trials < plan.proof and not leader.refuted
        if thin and not leader.jobs and free >= 2 * plan.rungs[-1]:
            # the lead was taken with few trials: it must be kept with more
            return self._test(leader, plan.rungs[-1], free, base)
        if free - plan.rungs[0] - 2 * plan.rungs[-1] * thin < owed:
            return False
        if judging and not plan.eager:
            return False  # what is left of the budget is the station's
        return self._propose(tree)

    def _ripe(self, tree: Tree, left: float, judging: list[JobView]) -> bool:
        """Whether the leader is to be published now."""
        plan, leader = tree.plan, tree.leader
        base = tree.nodes[tree.main]
        if judging or leader is base or leader.jobs or not tree.proven(leader):
            return False
        closed = [node for node in tree.ideas() if node.rungs]
        return plan.eager or len(closed) >= plan.ideas or left < plan.reserve + plan.rungs[0]

    def _refuted_often(self, tree: Tree) -> bool:
        return any(node.refuted for node in tree.ideas())

    def _propose(self, tree: Tree) -> bool:
        for _ in range(30):
            idea = self.proposer.choose(tree)
            if idea is None:
                return False
            made = self.proposer.make(tree, idea, self._claim)
            if made is None:
                continue
            self.say(f'idea {len(tree.ideas()) + 1}: {made.subject} ({made.commit[:10]})')
            tree.nodes[made.commit] = Node(made)
            if idea.template.trains:
                self.trainer.start(made.commit)
                return True
            size = tree.plan.rungs[0]
            return self._test(tree.nodes[made.commit], size, math.inf)
        return False

    def _claim(self, sentence: str) -> bool:
        return bool(self.station.idea(sentence).get('claimed', True))

    def _test(self, node: Node, size: int, free: float, against: Node | None = None) -> bool:
        size = int(min(size, free))
        if size < 1:
            return False
        self.station.submit(
            TrialAsk(
                node.made.commit,
                weights=self._weights(node),
                trials=size,
                attempts=self.plan.attempts if self.plan else 1,
                against=against.made.commit if against else '',
                against_weights=self._weights(against) if against else '',
            )
        )
        return True

    def _cut_short(self, tree: Tree, live: list[JobView]) -> None:
        """End the screening of an idea that cannot pass any more (futility)."""
        for job in live:
            if job.kind != 'test' or not job.arms or not job.done:
                continue
            node = tree.nodes.get(job.arms[0].commit)
            if node is None or not node.made.idea or node is tree.leader:
                continue
            left = max(0, job.trials // len(job.arms) - job.arms[0].trials - job.arms[0].excluded)
            # as good as the best is not hopeless before the rung is over: it says so in full
            if left and node.count.failures and tree.hopeless(node, left):
                self.station.cancel(job.job_id)

    def _mine(self, tree: Tree, node: Node) -> bool:
        """Whether an idea without trials is to be tested: this researcher died over it."""
        idea = idea_named(node.made.idea)
        return idea is not None and node.made.own and node.made.parent in tree.nodes

    def _ready(self, node: Node) -> bool:
        idea = idea_named(node.made.idea)
        if idea is None or not idea.template.trains:
            return True
        # what was tested before a restart is not trained anew: the station keeps its weights
        return bool(node.rungs and self._weights(node)) or self.trainer.ready(node.made.commit)

    def _weights(self, node: Node) -> str:
        known = {view.commit: view.weights for view in self.station.history().ideas}
        return self.trainer.weights.get(node.made.commit) or known.get(node.made.commit, '')

    def _judges(self, job: JobView) -> bool:
        """Whether a job decides on a proposal; others of its kind are the station's pastime."""
        asked = job.requester == 'agent' if job.requester else job.trials > _BACKGROUND
        return job.kind == 'confirm' or (
            job.kind == 'retest' and (asked or job.job_id in self._proposed)
        )

    def _tell(self, node: Node, words: str) -> None:
        if node.made.commit not in self._told:
            self._told.add(node.made.commit)
            self.say(words)


def _bore_out(job: JobView, jobs: list[JobView]) -> bool:
    """Whether a re-test went on to a confirmation block, or called the candidate better."""
    commit = job.arms[0].commit
    if any(other.kind == 'confirm' and other.arms[0].commit == commit for other in jobs):
        return True
    return len(job.arms) == 2 and job.p_value < 0.05 and job.state == 'done'
