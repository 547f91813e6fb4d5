"""A campaign's state, rebuilt from its journal: jobs, who proposed what, and what was promoted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from enpire_nodes.evolution.journal import (
    AGENT,
    CALL,
    CAMPAIGN,
    decoded,
    FINISHED,
    IDEA,
    JOB,
    JOB_CHANGE,
    Journal,
    PROMOTION,
)
from enpire_nodes.evolution.records import (
    Arm,
    CampaignRecord,
    IdeaRecord,
    Job,
    JobChange,
    JobKind,
    JobState,
    ModelCall,
    Promotion,
    Tokens,
)
from enpire_nodes.rollout.ledger.chain import Entry

#: States in which a job is over.
OVER = (JobState.DONE, JobState.CANCELED, JobState.FAILED)

#: Tokens that a call is charged with at least when nobody said how many it took.
UNMEASURED = 10_000

#: A recipe: its commit, and the sha256 of its weights.
Recipe = tuple[str, str]


@dataclass(slots=True)
class CampaignBook:
    """What the journal says; every change is written before it is believed.

    :param tokens: that the model counted.
    :param charged_tokens: what budgets are held against: a call that was answered and did not say
        to its end what it took counts as the largest before it; ``charged_money`` likewise.
    """

    journal: Journal
    campaign: CampaignRecord | None = None
    began_ns: int = 0
    jobs: dict[str, Job] = field(default_factory=dict)
    states: dict[str, JobChange] = field(default_factory=dict)
    ideas: dict[str, IdeaRecord] = field(default_factory=dict)
    promotions: list[Promotion] = field(default_factory=list)
    tokens: Tokens = field(default_factory=Tokens)
    charged_tokens: int = 0
    charged_money: float = 0.0
    _largest: tuple[int, float] = (0, 0.0)
    session: str = ''
    finished: dict | None = None
    entries: list[Entry] = field(default_factory=list)

    def read(self) -> list[Entry]:
        """Take in what was added to the journal, by whomever; return it."""
        news = self.journal.news()
        for entry in news:
            self._take(entry)
        self.entries += news
        return news

    def write(self, record: object) -> None:
        """Put a record on the disk, then believe it."""
        self.journal.record(record)
        self.read()

    def note(self, kind: str, /, **data: object) -> None:
        """Put a plain entry on the disk, then believe it."""
        self.journal.note(kind, **data)
        self.read()

    def change(self, job_id: str, state: JobState, message: str = '') -> None:
        """Write that a job got into another state."""
        self.write(JobChange(job_id, state, message))

    def state(self, job_id: str) -> JobState:
        """Return where a job stands."""
        return self.states[job_id].state if job_id in self.states else JobState.QUEUED

    def open_jobs(self) -> list[Job]:
        """Return the jobs that are not over, in the order in which they came."""
        return [job for job in self.jobs.values() if self.state(job.job_id) not in OVER]

    def incumbent(self) -> Recipe:
        """Return what ``main`` is: the recipe that was confirmed last, or the first one."""
        if self.promotions:
            return self.promotions[-1].commit, self.promotions[-1].weights
        return (self.campaign.base if self.campaign else ''), ''

    def arms(self, recipe: Recipe) -> Iterator[tuple[Job, Arm]]:
        """Yield where a recipe was graded."""
        for job in self.jobs.values():
            for arm in job.arms if job.kind is not JobKind.EXPLORE else ():
                if (arm.commit, arm.weights) == recipe:
                    yield job, arm

    def graded_requests(self, recipe: Recipe) -> list[str]:
        """Return the requests by which a recipe was graded."""
        return [arm.request_id for _, arm in self.arms(recipe)]

    def recipes(self) -> list[Recipe]:
        """Return every recipe that was graded, in the order of its first job."""
        found = [
            (arm.commit, arm.weights)
            for job in self.jobs.values()
            if job.kind is not JobKind.EXPLORE
            for arm in job.arms
            if arm.commit
        ]
        return list(dict.fromkeys(found))

    def of_kind(self, *kinds: JobKind) -> list[Job]:
        """Return the jobs of some kinds."""
        return [job for job in self.jobs.values() if job.kind in kinds]

    def _take(self, entry: Entry) -> None:
        kind = entry.kind
        if kind == CAMPAIGN:
            self.campaign, self.began_ns = decoded(entry), entry.wall_ns
        elif kind == JOB:
            job = decoded(entry)
            self.jobs[job.job_id] = job
        elif kind == JOB_CHANGE:
            change = decoded(entry)
            self.states[change.job_id] = change
        elif kind == IDEA:
            idea = decoded(entry)
            self.ideas[idea.commit] = idea
        elif kind == PROMOTION:
            self.promotions.append(decoded(entry))
        elif kind == CALL:
            self._pay(decoded(entry))
        elif kind == AGENT and entry.data['event'] == 'session':
            self.session = entry.data['session']
        elif kind == FINISHED:
            self.finished = entry.data

    def _pay(self, call: ModelCall) -> None:
        self.tokens += call.tokens
        cost = (call.tokens.total, call.price if call.tokens.total else 0.0)
        if 200 <= call.status < 300 and not call.counted:
            # or whoever hangs up before the end of an answer would not pay for it
            cost = max(cost, self._largest, (UNMEASURED, 0.0))
        else:
            self._largest = max(self._largest, cost)
        self.charged_tokens += cost[0]
        self.charged_money += cost[1]
