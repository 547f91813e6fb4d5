"""What a campaign is made of, free of ROS: ideas, jobs, model calls, and what they came to.

Instants are integer nanoseconds of the wall clock (``_ns``), spans are float seconds. Everything
here is written to the journal as JSON by :mod:`~enpire_nodes.rollout.record_json`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
import math

from enpire_nodes.rollout.records import ParameterValue


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens of a model by class; no token is in two classes but reasoning.

    :param fresh: input that no cache had.
    :param cached: input that was read from a cache.
    :param written: input that was written into one.
    :param output: all that the model wrote, ``reasoning`` included.
    """

    fresh: int = 0
    cached: int = 0
    written: int = 0
    output: int = 0
    reasoning: int = 0

    @property
    def total(self) -> int:
        """Tokens of all classes."""
        return self.fresh + self.cached + self.written + self.output

    def __add__(self, other: Tokens) -> Tokens:
        return Tokens(
            self.fresh + other.fresh,
            self.cached + other.cached,
            self.written + other.written,
            self.output + other.output,
            self.reasoning + other.reasoning,
        )


@dataclass(frozen=True, slots=True)
class ModelCall:
    """One request to a model, as the metering proxy saw it.

    :param wire: ``messages``, ``responses`` or ``chat``.
    :param first_ns: when the first byte of the answer came; 0 when none did.
    :param status: of HTTP; 402 when a budget refused it, 0 when the server was not reached.
    :param counted: whether the answer said how many tokens it took.
    :param price: in the currency of the price list; NaN when the model is not in it.
    """

    call_id: str
    wire: str
    model: str
    start_ns: int
    end_ns: int = 0
    first_ns: int = 0
    status: int = 0
    counted: bool = False
    tokens: Tokens = Tokens()
    price: float = math.nan
    message: str = ''

    @property
    def seconds(self) -> float:
        """From the request until the end of the answer, s."""
        return max(0, self.end_ns - self.start_ns) / 1e9


class JobKind(IntEnum):
    """Why trials are run; a smaller number goes first."""

    UNSET = 0
    #: The agent asks how good a commit is, or how it compares with another.
    TEST = 1
    #: A confirmation block: declared whole before its first trial.
    CONFIRM = 2
    #: The station repeats a comparison before anybody is credited with it.
    RETEST = 3
    #: A person's stand-in shows how it is done.
    DEMONSTRATE = 4
    #: Exploring trials: experience for a learner.
    EXPLORE = 5


class JobState(IntEnum):
    """Where a job stands."""

    UNSET = 0
    QUEUED = 1
    RUNNING = 2
    DONE = 3
    CANCELED = 4
    FAILED = 5


@dataclass(frozen=True, slots=True)
class Arm:
    """One recipe within a job.

    :param commit: full hash in the hub; empty for a controller that ships with the station.
    :param weights: sha256 of the weights in the artifact store; empty for none.
    :param request_id: of its trials in the station's ledger.
    """

    request_id: str
    commit: str = ''
    weights: str = ''
    idea: str = ''
    controller: str = 'learned'
    settings: Mapping[str, ParameterValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Job:
    """Trials that somebody asked for; one arm, or two that are interleaved on the same seeds.

    :param requester: ``agent``, or ``station`` for its own tests.
    :param trials: of each arm.
    :param seeds: one per trial, shared by the arms; empty lets the runner draw them.
    """

    job_id: str
    kind: JobKind
    requester: str
    arms: tuple[Arm, ...]
    trials: int
    max_attempts: int = 1
    seeds: tuple[int, ...] = ()
    created_ns: int = 0
    words: str = ''

    @property
    def paired(self) -> bool:
        """Whether two recipes are compared."""
        return len(self.arms) == 2

    @property
    def recipe(self) -> tuple[str, str]:
        """What its first arm runs: the commit, and the sha256 of the weights."""
        return self.arms[0].commit, self.arms[0].weights


@dataclass(frozen=True, slots=True)
class JobChange:
    """That a job got into another state."""

    job_id: str
    state: JobState
    message: str = ''


@dataclass(frozen=True, slots=True)
class IdeaRecord:
    """A commit that the hub took from a station.

    :param parent: commit that it was made from.
    :param borrowed: commits of others that it says it borrows from.
    :param subject: the hypothesis, in a sentence.
    """

    commit: str
    parent: str
    subject: str
    station: str
    stamp_ns: int = 0
    borrowed: tuple[str, ...] = ()
    body: str = ''


@dataclass(frozen=True, slots=True)
class Promotion:
    """That ``main`` moved to a commit, by a confirmation block.

    :param request_id: of the block in the station's ledger.
    :param weights: sha256 of the confirmed weights; empty for none.
    """

    commit: str
    request_id: str
    successes: int
    trials: int
    lower: float
    weights: str = ''


@dataclass(frozen=True, slots=True)
class Budgets:
    """What a campaign may use; 0 is no limit.

    :param wall_clock: s from the acceptance of the goal.
    :param robot_time: s of resetting, executing and verifying.
    """

    tokens: int = 0
    money: float = 0.0
    wall_clock: float = 0.0
    robot_time: float = 0.0
    trials: int = 0


@dataclass(frozen=True, slots=True)
class CampaignRecord:
    """What was asked for.

    :param target: success rate that a confirmation block of ``confirmation_trials`` certifies.
    :param environment_digest: of the frozen environment, as the trials have it.
    :param base: commit of ``main`` when it began.
    """

    campaign: str
    station: str
    task: str
    agent: str
    model: str
    target: float
    confirmation_trials: int
    budgets: Budgets
    hub: str
    environment_digest: str = ''
    base: str = ''
    currency: str = ''
