"""A station's desk in one process: each look at a job runs one trial of the queue.

Publishing follows the rules of a station: a re-test on fresh seeds, interleaved with the
incumbent, then a confirmation block, after which ``main`` moves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from enpire_nodes.common.bounds import lower_bound
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.evolution.campaign.rules import SIGNIFICANT
from enpire_nodes.evolution.desk.views import (
    ArmView,
    BudgetLine,
    ENDED,
    HistoryView,
    IdeaView,
    JobView,
    TrialAsk,
)
from enpire_nodes.rollout.statistics import barnard


@dataclass(slots=True)
class _Job:
    view: JobView
    each: int

    def add(self, arm: int, success: bool) -> None:
        arms = list(self.view.arms)
        old = arms[arm]
        won = old.first_attempt_successes + success
        arms[arm] = replace(old, successes=won, first_attempt_successes=won, trials=old.trials + 1)
        self.view = replace(self.view, arms=tuple(arms), done=self.view.done + 1, state='running')

    @property
    def pair(self) -> tuple[tuple[int, int], ...]:
        return tuple((arm.first_attempt_successes, arm.trials) for arm in self.view.arms)


@dataclass
class BareDesk:
    """A desk whose trials are calls of ``run(commit, seed) -> success``.

    :param move: moves ``main`` to a commit.
    :param retest: pairs, ``confirm`` trials, of a proposal.
    :param budget_trials: that may be run in all.
    """

    run: Callable[[str, int], bool]
    main: str
    move: Callable[[str], None]
    budget_trials: int = 110
    retest: int = 20
    confirm: int = 18
    state: str = 'researching'
    used: int = 0
    first_seed: int = 1
    #: (candidate, incumbent) counts of each re-test; (successes, trials) of each block.
    retests: list[tuple[tuple[int, int], ...]] = field(default_factory=list)
    blocks: list[tuple[int, int]] = field(default_factory=list)
    published: list[str] = field(default_factory=list)
    _jobs: dict[str, _Job] = field(default_factory=dict)

    def status(self) -> dict[str, Any]:
        """Return where the campaign stands."""
        return {'state': self.state, 'incumbent': {'commit': self.main}}

    def submit(self, ask: TrialAsk) -> JobView:
        """Queue trials."""
        return self._queue(
            'test', [ask.commit, *([ask.against] if ask.against else [])], ask.trials
        )

    def publish(self, commit: str, weights: str = '') -> JobView:
        """Propose a commit."""
        self.published.append(commit)
        return self._queue('retest', [commit, self.main], self.retest)

    def jobs(self) -> list[JobView]:
        """Return all jobs, oldest first."""
        return [job.view for job in self._jobs.values()]

    def cancel(self, job_id: str) -> JobView:
        """Run no more trials of a job."""
        job = self._jobs[job_id]
        job.view = replace(job.view, state='canceled')
        return job.view

    def job(self, job_id: str, *, wait: float = 0.0) -> JobView:
        """Run one trial of the queue if there is a wait; return the job."""
        if wait > 0.0:
            self._advance()
        return self._jobs[job_id].view

    def history(self) -> HistoryView:
        """Return what was tried: here, commits alone."""
        commits = {arm.commit for job in self._jobs.values() for arm in job.view.arms}
        return HistoryView(ideas=tuple(IdeaView(commit) for commit in sorted(commits)))

    def idea(self, sentence: str) -> dict[str, Any]:
        """Grant every claim."""
        return {'claimed': True, 'key': '', 'message': '', 'similar': []}

    def store(self, content: bytes) -> str:
        """Keep nothing."""
        raise StationError(ErrorCode.SUPERVISOR_JOB_REFUSED, 'weights are not kept here')

    def budget(self) -> list[BudgetLine]:
        """Return the budget of trials."""
        return [BudgetLine('trials', self.used, self.budget_trials, 'trials')]

    def _queue(self, kind: str, commits: list[str], trials: int) -> JobView:
        if self.used >= self.budget_trials:
            raise StationError(ErrorCode.SUPERVISOR_BUDGET_USED, 'no trials are left')
        arms = tuple(ArmView(commit) for commit in commits)
        view = JobView(
            f'job-{len(self._jobs) + 1}', kind, 'queued', arms=arms, trials=trials * len(arms)
        )
        self._jobs[view.job_id] = _Job(view, trials)
        return view

    def _advance(self) -> None:
        live = [job for job in self._jobs.values() if job.view.state not in ENDED]
        # the agent's requests first, then what the station owes
        live.sort(key=lambda job: job.view.kind != 'test')
        if not live or self.used >= self.budget_trials:
            return
        job = live[0]
        turn, arm = divmod(job.view.done, len(job.view.arms))
        number = list(self._jobs).index(job.view.job_id)
        seed = self.first_seed + 1000 * number + turn
        self.used += 1
        job.add(arm, self.run(job.view.arms[arm].commit, seed))
        if job.view.done == job.view.trials:
            job.view = replace(job.view, state='done')
            self._close(job)

    def _close(self, job: _Job) -> None:
        candidate = job.view.arms[0].commit
        if job.view.kind == 'retest':
            self.retests.append(job.pair)
            p_value = barnard(*job.pair, alternative='greater')
            job.view = replace(job.view, p_value=p_value)
            if p_value < SIGNIFICANT and self.used < self.budget_trials:
                self._queue('confirm', [candidate], self.confirm)
        elif job.view.kind == 'confirm':
            block = job.pair[0]
            self.blocks.append(block)
            if lower_bound(*block) > self.retests[-1][1][0] / self.retest:
                self.main = candidate
                self.move(candidate)
                self.state = 'over'
