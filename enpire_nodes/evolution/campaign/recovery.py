"""What should have followed from a job, and did not, because the supervisor was killed before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from enpire_nodes.evolution.campaign.book import CampaignBook
from enpire_nodes.evolution.campaign.proposals import Ending, Proposals
from enpire_nodes.evolution.journal import RESULT
from enpire_nodes.evolution.records import Job, JobKind, JobState


def swallowed(book: CampaignBook, proposals: Proposals) -> Iterator[tuple[Job, Ending]]:
    """Yield jobs that are done, and what is still to follow from them.

    A re-test that held is followed by a block of its recipe, as is a block that a fault of the
    station spoilt; a block that confirms more than ``main`` was confirmed with by a promotion.
    """
    if book.finished is not None:
        return
    jobs = list(book.jobs.values())
    for place, job in enumerate(jobs):
        if book.state(job.job_id) is not JobState.DONE:
            continue
        proposed = job.kind is JobKind.RETEST and job.requester == 'agent' and job.paired
        if proposed or proposals.spoilt(job):
            blocks = [later for later in jobs[place + 1 :] if later.kind is JobKind.CONFIRM]
            if all(block.recipe != job.recipe for block in blocks):
                yield job, proposals.ending(job)
        elif job.kind is JobKind.CONFIRM:
            requests = [promotion.request_id for promotion in book.promotions]
            if job.arms[0].request_id not in requests:
                yield job, proposals.ending(job)


def certified(book: CampaignBook) -> bool:
    """Whether the recipe that was confirmed last reaches the target."""
    lower = book.promotions[-1].lower if book.promotions else 0.0
    return book.campaign is not None and bool(lower) and lower >= book.campaign.target


def unsigned(book: CampaignBook) -> list[dict[str, Any]]:
    """Return the results that the hub had not taken."""
    every = [entry.data for entry in book.entries if entry.kind == RESULT]
    signed = {line['result']['request'] for line in every if 'signature' in line}
    return [line for line in every if 'signature' not in line and line['request'] not in signed]
