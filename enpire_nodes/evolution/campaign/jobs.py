"""Making jobs, and showing them to whoever asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
import math
import time

from enpire_nodes.common.bounds import upper_bound
from enpire_nodes.evolution.campaign.book import CampaignBook, OVER, Recipe
from enpire_nodes.evolution.campaign.evidence import Evidence
from enpire_nodes.evolution.campaign.proposals import Proposals
from enpire_nodes.evolution.campaign.recipes import Recipes
from enpire_nodes.evolution.campaign.schedule import Schedule
from enpire_nodes.evolution.desk.views import ArmView, JobView
from enpire_nodes.evolution.records import Arm, Job, JobKind, JobState
from enpire_nodes.rollout.statistics import summarize
from enpire_nodes.rollout.trial.seeds import fresh_campaign_seed, trial_seed

_RECENT = 20  # trials whose mean time tells how long the next ones take
_TRIAL = 15.0  # s, a trial before one has been seen


@dataclass(frozen=True, slots=True)
class Jobs:
    """Knows every job of a campaign."""

    book: CampaignBook
    evidence: Evidence
    schedule: Schedule
    recipes: Recipes

    def make(
        self,
        kind: JobKind,
        requester: str,
        recipes: Sequence[Recipe],
        *,
        trials: int,
        attempts: int = 1,
        seeds: tuple[int, ...] = (),
        words: str = '',
    ) -> Job:
        """Write a job into the journal and queue it.

        :param recipes: one, or candidate and incumbent: these get the same seeds, drawn here.
        :raises StationError: as of :meth:`Recipes.arm`; nothing is queued then.
        """
        job_id = f'{kind.name.lower()}-{len(self.book.jobs) + 1:04d}'
        explore = kind is JobKind.EXPLORE
        prefix = f'{self.book.campaign.campaign}-{job_id}'
        arms = tuple(
            self.recipes.arm(commit, weights, f'{prefix}-{letter}', explore=explore)
            for letter, (commit, weights) in zip('ab', recipes, strict=False)
        )
        if len(arms) == 2 and not seeds:
            base = fresh_campaign_seed()
            seeds = tuple(trial_seed(base, index) for index in range(trials))
        job = Job(
            job_id, kind, requester, arms, trials, attempts, seeds, time.time_ns(), words
        )  # fmt: skip
        self.book.write(job)
        self.schedule.add(job)
        return job

    def view(self, job: Job) -> JobView:
        """Show a job."""
        state = self.book.state(job.job_id)
        change = self.book.states.get(job.job_id)
        over = state in OVER
        ahead = 0 if over else self.schedule.ahead(job.job_id)
        left = 0 if over else self.schedule.left(job)
        p_value = math.nan
        if job.paired:
            p_value = Proposals(self.book, self.evidence).comparison(job).p_value
        return JobView(
            job_id=job.job_id,
            kind=job.kind.name.lower(),
            state=state.name.lower(),
            message=(change.message if change else '') or job.words,
            arms=tuple(self._arm(arm) for arm in job.arms),
            trials=job.trials * len(job.arms),
            done=sum(self.evidence.done(arm.request_id) for arm in job.arms),
            ahead=ahead,
            seconds_left=(ahead + left) * self.seconds_a_trial(),
            p_value=p_value,
            requester=job.requester,
            words=_next(job, state),
        )

    def seconds_a_trial(self) -> float:
        """Return how long a trial takes now, s of the wall clock."""
        recent = [trial.wall_seconds for trial in self.evidence.newest(_RECENT)]
        return sum(recent) / len(recent) if recent else _TRIAL

    def _arm(self, arm: Arm) -> ArmView:
        trials = self.evidence.of(arm.request_id)
        summary = summarize(trials)
        return ArmView(
            commit=arm.commit,
            idea=arm.idea,
            successes=summary.successes,
            first_attempt_successes=summary.first_attempt_successes,
            trials=summary.counted,
            excluded=summary.excluded,
            lower=summary.lower,
            upper=upper_bound(summary.successes, summary.counted),
            trial_ids=[trial.trial_id for trial in trials],
        )


def _next(job: Job, state: JobState) -> str:
    if state not in OVER:
        return f'enpire trial wait {job.job_id}'
    if state is JobState.FAILED:
        return 'mend what the message says, commit, and submit again'
    if job.kind is JobKind.TEST and job.paired:
        return 'a test finds candidates, it proves nothing; `enpire publish` has it re-tested'
    if job.kind is JobKind.TEST:
        return f'`enpire trial log {job.job_id}` says why trials failed'
    return '`enpire status` says where the campaign stands'
