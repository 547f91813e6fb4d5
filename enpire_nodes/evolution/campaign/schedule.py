"""The one queue of a station: whose trial is next.

Trials are handed out one at a time, so that whoever comes later with a better claim waits for one
trial and no longer. The agent goes first. What it has proposed to the station (re-tests and
confirmation blocks) takes every second trial then, or an agent that always has another question
would never be answered; what nobody waits for takes what is left.

Two arms are interleaved on the same seeds in the order A B B A, so that neither has the fresher
scene more often, and the policy is exchanged every other trial only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from enpire_nodes.evolution.records import Arm, Job, JobKind

#: Kinds whose trials alternate with the agent's.
PROPOSED = (JobKind.CONFIRM, JobKind.RETEST)
#: Requesters, as the ledger names them.
AGENT, STATION = 'agent', 'station'


@dataclass(frozen=True, slots=True)
class Slice:
    """One trial of one arm of a job."""

    job: Job
    arm: Arm


@dataclass(slots=True)
class Schedule:
    """The jobs that are waiting, and how far they are.

    :param done: says how many trials of a request are closed.
    """

    done: Callable[[str], int]
    jobs: dict[str, Job] = field(default_factory=dict)
    _proposed_last: bool = True

    def add(self, job: Job) -> None:
        """Queue a job; a known one is left where it is."""
        self.jobs.setdefault(job.job_id, job)

    def remove(self, job_id: str) -> Job | None:
        """Take a job out of the queue."""
        return self.jobs.pop(job_id, None)

    def left(self, job: Job) -> int:
        """Return how many trials of a job are not closed yet, of all arms."""
        return sum(max(0, job.trials - self.done(arm.request_id)) for arm in job.arms)

    def ahead(self, job_id: str) -> int:
        """Return how many trials will be run before the first one of a job, at most."""
        count = 0
        for job in self._ordered():
            if job.job_id == job_id:
                return count
            count += self.left(job)
        return count

    @property
    def waiting(self) -> int:
        """How many trials are queued."""
        return sum(self.left(job) for job in self.jobs.values())

    def next(self) -> Slice | None:
        """Return the trial to be run now; None when nobody wants one."""
        ready = [job for job in self._ordered() if self.left(job)]
        if not ready:
            return None
        agents = [job for job in ready if job.requester == AGENT and job.kind not in PROPOSED]
        proposed = [job for job in ready if _is_proposed(job)]
        if agents and proposed:
            job = agents[0] if self._proposed_last else proposed[0]
        else:
            job = (agents or ready)[0]
        self._proposed_last = _is_proposed(job)
        return Slice(job, self._arm(job))

    def _ordered(self) -> list[Job]:
        """Return the jobs, the agent's own first, then by kind, then as they came."""
        return sorted(
            self.jobs.values(),
            key=lambda job: (job.requester != AGENT, job.kind in PROPOSED, int(job.kind)),
        )

    def _arm(self, job: Job) -> Arm:
        if not job.paired:
            return job.arms[0]
        first, second = job.arms
        ran = self.done(first.request_id) + self.done(second.request_id)
        arm = first if ran % 4 in (0, 3) else second
        if self.done(arm.request_id) >= job.trials:
            return second if arm is first else first
        return arm


def _is_proposed(job: Job) -> bool:
    """Whether the agent waits for a job's verdict; the station's own re-tests are for nobody."""
    return job.requester == AGENT and job.kind in PROPOSED
