"""What was tried so far and what came of it, from the jobs of a campaign and the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
import math

from enpire_nodes.common.bounds import upper_bound
from enpire_nodes.evolution.campaign.book import CampaignBook, OVER, Recipe
from enpire_nodes.evolution.campaign.evidence import Evidence
from enpire_nodes.evolution.campaign.rules import compare, Comparison
from enpire_nodes.evolution.desk.views import HistoryView, IdeaView
from enpire_nodes.evolution.records import IdeaRecord, JobKind
from enpire_nodes.rollout.records import TrialRecord

_NEAR = 0.2  # one-sided p-value up to which a difference is worth another look


@dataclass(frozen=True, slots=True)
class History:
    """Shows every idea with its trials.

    An idea is *confirmed* when ``main`` has moved to it, *better* when a re-test held, *dead* when
    it was tested and neither a test nor a re-test speaks for it, and else *alive* or *untested*.
    """

    book: CampaignBook
    evidence: Evidence

    def view(self) -> HistoryView:
        """Return all ideas, oldest first."""
        ideas = tuple(self._idea(idea) for idea in self.book.ideas.values())
        incumbent = self.book.incumbent()[0]
        tried = [idea for idea in ideas if idea.trials]
        best = max(tried, key=lambda idea: (idea.state == 'confirmed', idea.lower), default=None)
        improved = [i for i, idea in enumerate(ideas) if idea.state in ('better', 'confirmed')]
        plateau = len(ideas) - 1 - improved[-1] if improved else len(ideas)
        near = tuple(i.commit for i in ideas if i.state == 'alive' and i.p_value < _NEAR)
        return HistoryView(
            ideas=ideas,
            best=best.commit if best else incumbent,
            incumbent=incumbent,
            plateau=plateau,
            near_misses=near,
            words=_words(ideas, plateau, near),
        )

    def _idea(self, idea: IdeaRecord) -> IdeaView:
        recipes = [recipe for recipe in self.book.recipes() if recipe[0] == idea.commit]
        requests = [r for recipe in recipes for r in self.book.graded_requests(recipe)]
        summary = self.evidence.summary(requests)
        seen = self._comparison(recipes)
        trials = [trial for request in requests for trial in self.evidence.of(request)]
        effect = (seen.candidate - seen.incumbent) / seen.pairs if seen.pairs else math.nan
        return IdeaView(
            commit=idea.commit,
            short=idea.commit[:10],
            subject=idea.subject,
            station=idea.station,
            parent=idea.parent,
            borrowed=idea.borrowed,
            state=self._state(idea.commit, seen, summary.counted),
            trials=summary.counted,
            successes=summary.successes,
            first_attempt_successes=summary.first_attempt_successes,
            lower=summary.lower,
            upper=upper_bound(summary.successes, summary.counted),
            effect=effect,
            effect_lower=_margin(seen, -1.0),
            effect_upper=_margin(seen, 1.0),
            p_value=seen.p_value if seen.pairs else math.nan,
            robot_seconds=sum(trial.robot_seconds for trial in trials),
            weights=recipes[-1][1] if recipes else '',
            stamp=idea.stamp_ns / 1e9,
        )

    def _comparison(self, recipes: Sequence[Recipe]) -> Comparison:
        """Pool every pair that an idea was the candidate of."""
        pairs: list[tuple[TrialRecord, TrialRecord]] = []
        for job in self.book.jobs.values():
            arm = job.arms[0]
            if job.paired and (arm.commit, arm.weights) in recipes:
                pairs += self.evidence.pairs(arm.request_id, job.arms[1].request_id)
        return compare(pairs)

    def _state(self, commit: str, seen: Comparison, trials: int) -> str:
        if any(promotion.commit == commit for promotion in self.book.promotions):
            return 'confirmed'
        jobs = [job for job in self.book.jobs.values() if job.arms[0].commit == commit]
        if any(job.kind is JobKind.CONFIRM for job in jobs):
            return 'better'
        if not trials:
            return 'untested'
        waiting = any(self.book.state(job.job_id) not in OVER for job in jobs)
        if waiting or not seen.pairs or seen.candidate > seen.incumbent:
            return 'alive'
        return 'dead'


def _margin(seen: Comparison, sign: float) -> float:
    """Return an end of the 95 % interval of a paired difference.

    Agresti and Min's adjusted Wald interval: half an observation is added to each cell of the
    2 x 2 table (Statistics in Medicine 24, 2005).
    """
    if not seen.pairs:
        return math.nan
    count, better, worse = seen.pairs + 2.0, seen.better + 0.5, seen.worse + 0.5
    mean = (better - worse) / count
    spread = math.sqrt(max(0.0, better + worse - (better - worse) ** 2 / count)) / count
    return min(1.0, max(-1.0, mean + sign * 1.959964 * spread))


def _words(ideas: Sequence[IdeaView], plateau: int, near: Sequence[str]) -> str:
    if not ideas:
        return 'nothing was tried yet'
    dead = sum(idea.state == 'dead' for idea in ideas)
    words = f'{len(ideas)} ideas, {dead} dead'
    if plateau >= 8:
        words += f'; nothing got better for {plateau} ideas: try something of another kind'
    if near:
        words += f'; {len(near)} near misses deserve more trials'
    return words
