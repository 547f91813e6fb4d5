"""What the robot does while the agent thinks: never idle, and never at the agent's expense.

In this order: tests of the most promising idea against ``main``, interleaved; more experience for
a learner that has asked for some; more evidence about ``main`` itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from enpire_nodes.evolution.campaign.book import CampaignBook, Recipe
from enpire_nodes.evolution.campaign.evidence import Evidence
from enpire_nodes.evolution.campaign.schedule import STATION
from enpire_nodes.evolution.campaign.settings import CampaignSettings
from enpire_nodes.evolution.records import Budgets, JobKind, JobState

_ENOUGH = 40  # trials of a recipe after which more of them are no news
_FAIR = 3  # trials below which a recipe has not had its chance


@dataclass(frozen=True, slots=True)
class Wish:
    """A job that the station would like to run.

    :param recipes: one, or candidate and incumbent.
    """

    kind: JobKind
    recipes: tuple[Recipe, ...]
    trials: int


@dataclass(frozen=True, slots=True)
class Background:
    """Chooses; see the module."""

    book: CampaignBook
    evidence: Evidence
    settings: CampaignSettings

    def wish(self, budgets: Budgets) -> Wish | None:
        """Return what is useful now; None when nothing is, or the station's share is used."""
        if not self._affordable(budgets):
            return None
        return next((wish for wish in self._wishes() if not self._failed(wish)), None)

    def _wishes(self) -> Iterator[Wish]:
        """Yield what is useful, the most useful first."""
        incumbent = self.book.incumbent()
        candidate = self._promising(incumbent)
        if candidate is not None:
            kept = self.settings.background_pairs
            yield Wish(JobKind.RETEST, (candidate, incumbent), kept)
        explored = self._explored()
        if explored is not None:
            yield Wish(JobKind.EXPLORE, (explored,), 2)
        if self._runs(incumbent) and self._trials(incumbent) < _ENOUGH:
            yield Wish(JobKind.RETEST, (incumbent,), 2)

    def _failed(self, wish: Wish) -> bool:
        """Whether it could not be run: that uses no trial, so no budget would end it."""
        return any(
            (job.kind, *((arm.commit, arm.weights) for arm in job.arms))
            == (wish.kind, *wish.recipes)
            for job in self.book.jobs.values()
            if job.requester == STATION and self.book.state(job.job_id) is JobState.FAILED
        )

    def _affordable(self, budgets: Budgets) -> bool:
        share = self.settings.background_share
        own = [job for job in self.book.jobs.values() if job.requester == STATION]
        trials = [t for job in own for arm in job.arms for t in self.evidence.of(arm.request_id)]
        seconds = sum(trial.robot_seconds for trial in trials)
        return not (
            share <= 0.0
            or (budgets.trials and len(trials) >= share * budgets.trials)
            or (budgets.robot_time and seconds >= share * budgets.robot_time)
        )

    def _promising(self, incumbent: Recipe) -> Recipe | None:
        """Return the recipe most likely to be better, by the mean of its posterior."""
        if not self._runs(incumbent):
            return None
        base = self._rate(incumbent)
        found = [
            (self._rate(recipe), recipe)
            for recipe in self.book.recipes()
            if recipe != incumbent and _FAIR <= self._trials(recipe) < _ENOUGH
        ]
        rate, recipe = max(found, default=(0.0, None))
        return recipe if rate > base else None

    def _explored(self) -> Recipe | None:
        """Return what the agent last let explore, while its learner may still want more."""
        for job in reversed(self.book.of_kind(JobKind.EXPLORE)):
            if job.requester != STATION and self.book.state(job.job_id) is JobState.DONE:
                return job.recipe
        return None

    def _rate(self, recipe: Recipe) -> float:
        """Return the mean of the Beta posterior of a recipe's first attempts, uniform prior."""
        summary = self.evidence.summary(self.book.graded_requests(recipe))
        return (summary.first_attempt_successes + 1) / (summary.counted + 2)

    def _trials(self, recipe: Recipe) -> int:
        return self.evidence.summary(self.book.graded_requests(recipe)).counted

    def _runs(self, recipe: Recipe) -> bool:
        """Whether a recipe has been run, so that it can be run again."""
        return bool(recipe[0]) and self._trials(recipe) > 0
