"""What follows when a job of the station's own is over: re-test, confirmation, promotion."""

from __future__ import annotations

from dataclasses import dataclass

from enpire_nodes.evolution.campaign.book import CampaignBook
from enpire_nodes.evolution.campaign.evidence import Evidence
from enpire_nodes.evolution.campaign.rules import compare, Comparison, futile, hopeless
from enpire_nodes.evolution.records import Job, JobKind, Promotion
from enpire_nodes.rollout.confirmation import read_block
from enpire_nodes.rollout.statistics import Summary

#: Blocks of one recipe that the station's own faults may spoil before it gives up.
BLOCKS = 3


@dataclass(frozen=True, slots=True)
class Ending:
    """How a job came out.

    :param words: for the agent, and for the report.
    :param confirm: whether the candidate shall be confirmed now.
    :param promotion: to be carried out; None when nothing moves.
    :param certified: whether the target is reached.
    """

    words: str
    confirm: bool = False
    promotion: Promotion | None = None
    certified: bool = False


@dataclass(frozen=True, slots=True)
class Proposals:
    """Judges the station's own jobs by the ledger alone."""

    book: CampaignBook
    evidence: Evidence

    def comparison(self, job: Job) -> Comparison:
        """Return how the two arms of a job compare so far."""
        first, second = (arm.request_id for arm in job.arms)
        return compare(self.evidence.pairs(first, second))

    def block(self, job: Job) -> Summary:
        """Return how a confirmation block stands."""
        return self.evidence.summary([job.arms[0].request_id])

    def spoilt(self, job: Job) -> str:
        """Return why a confirmation block can confirm nothing any more; empty when it can."""
        if job.kind is not JobKind.CONFIRM:
            return ''
        out = [trial for trial in self.evidence.of(job.arms[0].request_id) if not trial.counted]
        return f'trial {out[0].trial_id} does not count: {out[0].message}' if out else ''

    def _again(self, job: Job) -> bool:
        """Whether another block shall follow a spoilt one.

        It does, whatever the trials before had come to, so that nothing is chosen by them.
        """
        same = [other for other in self.book.jobs.values() if other.recipe == job.recipe]
        return sum(bool(self.spoilt(other)) for other in same) < BLOCKS

    def pointless(self, job: Job) -> str:
        """Return why the rest of a job would be wasted; empty when it would not."""
        if job.kind is JobKind.RETEST and job.paired:
            seen = self.comparison(job)
            if 0 < seen.pairs < job.trials and futile(seen, job.trials):
                return f'stopped early, it can not hold any more: {seen.words()}'
        if job.kind is JobKind.CONFIRM and hopeless(
            self.block(job), job.trials, needed=self.confirmed_lower()
        ):
            summary = self.block(job)
            return (
                f'stopped early after {summary.successes} of {summary.counted}: it can not '
                'confirm more than is known of main'
            )
        return ''

    def confirmed_lower(self) -> float:
        """Return the lower bound that a block must exceed for ``main`` to move.

        It is what ``main`` was confirmed with; before its first block, what its graded trials say
        of its first attempts.
        """
        if self.book.promotions:
            return self.book.promotions[-1].lower
        requests = self.book.graded_requests(self.book.incumbent())
        return self.evidence.summary(requests).first_attempt_lower

    def ending(self, job: Job) -> Ending:
        """Judge a job whose trials are all closed."""
        if job.kind is JobKind.CONFIRM:
            return self._confirmed(job)
        if job.paired:
            seen = self.comparison(job)
            if job.kind is JobKind.RETEST and job.requester == 'agent':
                if seen.holds:
                    return Ending(f'it holds: {seen.words()}; a block follows', confirm=True)
                return Ending(f'it did not hold: {seen.words()}')
            return Ending(seen.words())
        summary = self.evidence.summary([arm.request_id for arm in job.arms])
        return Ending(
            f'{summary.successes} of {summary.counted} succeeded, '
            f'{summary.first_attempt_successes} at the first attempt'
        )

    def _confirmed(self, job: Job) -> Ending:
        arm = job.arms[0]
        block = read_block(self.evidence.ledger, arm.request_id)
        summary = block.summary
        words = (
            f'{summary.successes} of {summary.counted} (at the first attempt '
            f'{summary.first_attempt_successes}), so at least {summary.lower:.1%}'
        )
        if spoilt := self.spoilt(job):
            again = self._again(job)
            words += '; another block follows' if again else '; mend the station, none follows'
            return Ending(f'the block confirms nothing: {spoilt}; {words}', confirm=again)
        if not block.valid:
            return Ending(f'the block confirms nothing: {"; ".join(block.problems)}; {words}')
        if summary.lower <= self.confirmed_lower():
            return Ending(f'{words}: no more than is known of main, which stays')
        promotion = Promotion(
            commit=arm.commit,
            request_id=arm.request_id,
            successes=summary.successes,
            trials=summary.counted,
            lower=summary.lower,
            weights=arm.weights,
        )
        target = self.book.campaign.target
        if summary.lower >= target:
            return Ending(f'{words}: certified', promotion=promotion, certified=True)
        more = f'{words}: main moves; the target of {target:.1%} needs more'
        return Ending(more, promotion=promotion)
