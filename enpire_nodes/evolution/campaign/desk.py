"""The campaign behind the trial socket: what an agent may ask, answered by campaign and hub."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
import re
from typing import Any

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.evolution.campaign.campaign import Campaign
from enpire_nodes.evolution.campaign.history import history_of
from enpire_nodes.evolution.desk.similar import similar
from enpire_nodes.evolution.desk.views import (
    BudgetLine,
    HistoryView,
    IdeaView,
    JobView,
    SimilarIdea,
    to_json,
    TrialAsk,
)
from enpire_nodes.evolution.records import JobKind
from enpire_nodes.rollout.records import TrialRecord
from enpire_nodes.rollout.run_directory import RunDirectory

_MOST_TRIALS = 500
_CLAIM = 4 * 3600.0  # s for which an idea is its station's alone


@dataclass(frozen=True, slots=True)
class CampaignDesk:
    """Answers the agent of one campaign.

    :param news: what other stations found, in words; of bounded length.
    """

    campaign: Campaign
    news: Callable[[], str] = lambda: 'this station works alone'

    def status(self) -> dict[str, Any]:
        """Return where the campaign stands."""
        campaign = self.campaign
        with campaign.changed:
            commit, weights = campaign.book.incumbent()
            summary = campaign.evidence.summary(campaign.book.graded_requests((commit, weights)))
            record, over = campaign.record, campaign.book.finished
            return {
                'campaign': record.campaign,
                'task': record.task,
                'station': record.station,
                'target': record.target,
                'confirmation_trials': record.confirmation_trials,
                'state': 'over' if over else 'stopping' if campaign.stopping else 'running',
                'paused': campaign.holds.words(),
                'certified': campaign.certified,
                'incumbent': {
                    'commit': commit,
                    'weights': weights,
                    'subject': campaign.hub.subject(commit),
                    'successes': summary.successes,
                    'first_attempt_successes': summary.first_attempt_successes,
                    'trials': summary.counted,
                    'lower': summary.lower,
                    'confirmed_lower': campaign.proposals.confirmed_lower(),
                },
                'queue': [
                    {
                        'job_id': job.job_id,
                        'kind': job.kind.name.lower(),
                        'state': campaign.book.state(job.job_id).name.lower(),
                        'left': campaign.schedule.left(job),
                    }
                    for job in campaign.book.open_jobs()
                ],
                'budgets': [to_json(line) for line in self.budget()],
                'next': self._next(over),
            }

    def submit(self, ask: TrialAsk) -> JobView:
        """Queue trials."""
        campaign = self.campaign
        if not 1 <= ask.trials <= _MOST_TRIALS or not 1 <= ask.attempts <= 8:
            raise _refused(
                f'{ask.trials} trials of {ask.attempts} attempts: ask for 1 to {_MOST_TRIALS} '
                'trials of 1 to 8 attempts'
            )
        if ask.explore and ask.against:
            raise _refused('exploring trials are no grade, so they compare with nothing')
        recipes = [(campaign.hub.resolve(ask.commit), ask.weights)]
        with campaign.changed:
            if ask.against:
                recipes.append(self._opponent(ask))
            seeds: tuple[int, ...] = ()
            if ask.seeds_of:
                seeds = self._seeds(ask)
            job = campaign.submit(
                JobKind.EXPLORE if ask.explore else JobKind.TEST,
                recipes,
                trials=len(seeds) or ask.trials,
                attempts=ask.attempts,
                seeds=seeds,
            )
            return campaign.jobs.view(job)

    def job(self, job_id: str, *, wait: float = 0.0) -> JobView:
        """Return a job, once it is over or ``wait`` s have passed."""
        job = self.campaign.wait(job_id, wait)
        with self.campaign.changed:
            return self.campaign.jobs.view(job)

    def cancel(self, job_id: str) -> JobView:
        """Run no more trials of a job."""
        with self.campaign.changed:
            return self.campaign.jobs.view(self.campaign.cancel(job_id))

    def jobs(self) -> list[JobView]:
        """Return all jobs, oldest first."""
        with self.campaign.changed:
            return [self.campaign.jobs.view(job) for job in self.campaign.book.jobs.values()]

    def history(self) -> HistoryView:
        """Return what was tried, and what came of it."""
        campaign = self.campaign
        with campaign.changed:
            weights, incumbent = self._tested(), campaign.book.incumbent()[0]
        return history_of(campaign.run, incumbent=incumbent, weights=weights)

    def publish(self, commit: str, weights: str) -> JobView:
        """Propose a recipe."""
        job = self.campaign.propose((self.campaign.hub.resolve(commit), weights))
        with self.campaign.changed:
            return self.campaign.jobs.view(job)

    def store(self, content: bytes) -> str:
        """Keep weights; return their sha256."""
        return self.campaign.artifacts.store(content)

    def idea(self, sentence: str) -> dict[str, Any]:
        """Claim an idea."""
        words = ' '.join(sentence.split())
        key = re.sub(r'[\W_]+', '-', words.lower()).strip('-')[:60]
        if not 10 <= len(words) <= 300 or not key:
            raise _refused('say in one sentence of 10 to 300 characters what shall fail less, why')
        ideas = self.history().ideas
        station = self.campaign.record.station
        claimed = self.campaign.hub.claim(key, station, for_seconds=_CLAIM)
        message = (
            'commit it with this sentence as the subject, and the trailer `Idea: ' + key + '`'
        )
        if not claimed:
            message = 'another station is testing this; `enpire peers` says which, try another one'
        return {
            'claimed': claimed,
            'key': key,
            'message': message,
            'similar': [
                to_json(_similar(ideas[place], score))
                for place, score in similar(words, [idea.subject for idea in ideas])
            ],
        }

    def budget(self) -> list[BudgetLine]:
        """Return what was used of every budget."""
        return [
            BudgetLine(state.name, float(state.used), float(state.limit), state.unit)
            for state in self.campaign.budget_states()
        ]

    def peers(self) -> str:
        """Return news of the other stations."""
        return self.news()

    def trial(self, trial_id: str) -> TrialRecord:
        """Return a trial of this campaign."""
        trial = self.campaign.evidence.trial(trial_id)
        if trial is None:
            raise StationError(
                ErrorCode.SUPERVISOR_JOB_UNKNOWN,
                f'this campaign has no closed trial {trial_id!r}; `enpire trial result JOB` '
                'lists those of a job',
            )
        return trial

    def bag(self, trial_id: str) -> Path:
        """Return the directory of a trial's bag."""
        return RunDirectory(self.campaign.run).bag(self.trial(trial_id).trial_id)

    # -- within -------------------------------------------------------------------------------

    def _opponent(self, ask: TrialAsk) -> tuple[str, str]:
        main, weights = self.campaign.book.incumbent()
        commit = main if ask.against == 'main' else self.campaign.hub.resolve(ask.against)
        known = weights if commit == main else self._tested().get(commit, '')
        return commit, ask.against_weights or known

    def _tested(self) -> dict[str, str]:
        """Return by commit the weights that it was last tested with."""
        jobs = self.campaign.book.jobs.values()
        graded = [job for job in jobs if job.kind is not JobKind.EXPLORE]
        return {arm.commit: arm.weights for job in graded for arm in job.arms}

    def _seeds(self, ask: TrialAsk) -> tuple[int, ...]:
        job = self.campaign.job(ask.seeds_of)
        if job.kind is JobKind.CONFIRM:
            raise _refused('the seeds of a confirmation block are used once')
        ran = self.campaign.evidence.of(job.arms[0].request_id)
        seeds = job.seeds or tuple(trial.seed for trial in ran)
        if not seeds:
            raise _refused(f'{ask.seeds_of} has no trials yet whose seeds could be used again')
        return seeds

    def _next(self, over: dict | None) -> str:
        campaign = self.campaign
        if over:
            return f'the campaign is over: {over["message"]}'
        if campaign.certified or campaign.stopping:
            return f'stop now: {"certified" if campaign.certified else campaign.stopping}'
        if campaign.book.open_jobs():
            return 'trials are waiting or running; prepare the next idea meanwhile'
        return 'the robot waits for you: commit an idea, then `enpire trial submit --against main`'


def _similar(idea: IdeaView, score: float) -> SimilarIdea:
    came = f'{idea.first_attempt_successes} of {idea.trials} at the first attempt'
    return SimilarIdea(idea.commit, idea.subject, score, f'{idea.state}, {came}')


def _refused(words: str) -> StationError:
    return StationError(ErrorCode.SUPERVISOR_JOB_REFUSED, words)
