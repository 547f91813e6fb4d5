"""What a station keeps of its trials, free of ROS: the plain counterparts of the messages.

Field for field these mirror ``Trial``, ``Attempt``, ``Verdict`` and ``Vote`` of ``enpire_msgs``
(see :mod:`enpire_nodes.rollout.messages` for the conversion). Instants are integer nanoseconds of
the station's clock (fields that end in ``_ns``), spans are float seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
import math

from enpire_nodes.common.errors import ErrorCode

#: What a controller parameter may be: a scalar or a list of scalars of one kind.
ParameterValue = bool | int | float | str | list

#: Requester of the trials by which a station tests its own judge; they count in no success rate.
CANARY = 'canary'

#: How the digest of an environment begins that nobody froze.
UNFROZEN = 'unfrozen:'


class TrialOutcome(IntEnum):
    """How a trial ended; ``UNSET`` while it has not."""

    UNSET = 0
    SUCCESS = 1
    FAILURE = 2
    UNCERTAIN = 3
    RESET_FAILED = 4
    FAULTED = 5
    INTERRUPTED = 6
    CANCELED = 7


class VerdictOutcome(IntEnum):
    """What a vote or a verdict says; only ``SUCCESS`` ever counts as one."""

    UNSET = 0
    FAILURE = 1
    SUCCESS = 2
    UNCERTAIN = 3


class Execution(IntEnum):
    """How one execution of the policy ended, as in ``enpire_msgs/ExecutePolicy``."""

    UNSET = 0
    COMPLETED = 1
    TIMED_OUT = 2
    ABORTED = 3
    CANCELED = 4
    UNSAFE = 5


class Activity(IntEnum):
    """What a station is doing; every instant is in exactly one, as in ``StationState``."""

    UNSET = 0
    RESETTING = 1
    EXECUTING = 2
    VERIFYING = 3
    IDLE_WAITING_AGENT = 4
    IDLE_NO_WORK = 5
    FAULTED = 6
    ESTOPPED = 7
    OFFLINE = 8


@dataclass(frozen=True, slots=True)
class VoteRecord:
    """What one independent source of evidence says.

    :param score: 0 (certain failure) to 1 (certain success).
    :param age: s, of the newest sample when the vote was cast.
    """

    source: str
    verdict: VerdictOutcome
    score: float = math.nan
    samples: int = 0
    age: float = math.nan
    reason: str = ''


@dataclass(frozen=True, slots=True)
class VerdictRecord:
    """Whether an attempt reached the goal.

    :param stamp_ns: when it was decided.
    :param latency: s, from the newest picture's exposure to the decision.
    :param digest: sha256 over the verifier's code and settings.
    """

    outcome: VerdictOutcome = VerdictOutcome.UNSET
    stamp_ns: int = 0
    score: float = math.nan
    votes: tuple[VoteRecord, ...] = ()
    latency: float = math.nan
    error_code: ErrorCode = ErrorCode.UNSET
    message: str = ''
    digest: str = ''


@dataclass(frozen=True, slots=True)
class AttemptRecord:
    """One execution of the policy within a trial, and its verdict.

    :param index: counts from 1.
    :param duration: s, the policy alone.
    :param peak_force: N, largest norm of the measured force.
    :param depth: m, deepest descent of the tool below its start, >= 0.
    :param operator_seconds: s for which a person steered.
    """

    index: int
    start_ns: int = 0
    end_ns: int = 0
    execution: Execution = Execution.UNSET
    error_code: ErrorCode = ErrorCode.UNSET
    message: str = ''
    steps: int = 0
    duration: float = 0.0
    peak_force: float = 0.0
    depth: float = 0.0
    deadline_misses: int = 0
    operator_seconds: float = 0.0
    verdict: VerdictRecord = field(default_factory=VerdictRecord)


@dataclass(frozen=True, slots=True)
class TrialRecord:
    """One reset, then up to ``max_attempts`` attempts.

    The runner writes one with ``outcome`` UNSET before anything moves, and a completed copy
    (:func:`dataclasses.replace`) when the trial has ended.

    :param stamp_ns: when the trial was closed.
    :param seed: of the starting pose; not shown to the policy.
    :param infrastructure: a proven cause outside the policy; left out of success rates.
    :param reset_seconds: s by the station's clock, like the two that follow.
    :param wall_seconds: s from start to end by a monotonic clock.
    :param bag: directory of the bag, relative to the run directory.
    :param ledger_digest: chain value of the closing row; filled in by the ledger.
    """

    trial_id: str
    request_id: str = ''
    requester: str = ''
    station: str = ''
    task: str = ''
    idea: str = ''
    commit: str = ''
    environment_digest: str = ''
    controller: str = ''
    controller_digest: str = ''
    controller_parameters: Mapping[str, ParameterValue] = field(default_factory=dict)
    seed: int = 0
    stamp_ns: int = 0
    start_ns: int = 0
    end_ns: int = 0
    outcome: TrialOutcome = TrialOutcome.UNSET
    error_code: ErrorCode = ErrorCode.UNSET
    message: str = ''
    infrastructure: bool = False
    max_attempts: int = 1
    attempts: tuple[AttemptRecord, ...] = ()
    reset_seconds: float = 0.0
    execute_seconds: float = 0.0
    verify_seconds: float = 0.0
    wall_seconds: float = 0.0
    reset_retries: int = 0
    reset_recoveries: tuple[str, ...] = ()
    bag: str = ''
    bag_digest: str = ''
    ledger_digest: str = ''

    @property
    def success(self) -> bool:
        """Whether an attempt was judged a success (pass@k)."""
        return self.outcome is TrialOutcome.SUCCESS

    @property
    def first_attempt_success(self) -> bool:
        """Whether the trial succeeded, and at its first attempt (pass@1)."""
        return (
            self.success
            and bool(self.attempts)
            and self.attempts[0].verdict.outcome is VerdictOutcome.SUCCESS
        )

    @property
    def closed(self) -> bool:
        """Whether the trial has ended."""
        return self.outcome is not TrialOutcome.UNSET

    @property
    def counted(self) -> bool:
        """Whether the trial belongs into the denominator of a success rate."""
        return self.closed and not self.infrastructure

    @property
    def judged(self) -> tuple[AttemptRecord, ...]:
        """The attempts that got a verdict, UNCERTAIN included."""
        return tuple(
            attempt
            for attempt in self.attempts
            if attempt.verdict.outcome is not VerdictOutcome.UNSET
        )

    @property
    def robot_seconds(self) -> float:
        """Time in s in which the robot worked: resetting, executing and verifying."""
        return self.reset_seconds + self.execute_seconds + self.verify_seconds


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """What somebody asked the runner for, with the seeds it drew: enough to go on after a crash.

    :param seeds: one per trial, drawn before the first one starts.
    :param confirmation: declared as a block, see :mod:`~enpire_nodes.rollout.confirmation`.
    :param environment_digest: of a confirmation, as it was when declared.
    """

    request_id: str
    requester: str
    trials: int
    max_attempts: int
    seeds: tuple[int, ...]
    controller: str = ''
    controller_parameters: Mapping[str, ParameterValue] = field(default_factory=dict)
    idea: str = ''
    commit: str = ''
    confirmation: bool = False
    environment_digest: str = ''


@dataclass(frozen=True, slots=True)
class StateInterval:
    """A span in which the station did one thing.

    :param start_ns: by the wall clock, for people; ``end_ns`` likewise.
    :param start_monotonic_ns: by the monotonic clock, for durations; the end likewise.
    :param requester: who had asked for it; empty when nobody had.
    """

    activity: Activity
    start_ns: int
    end_ns: int
    start_monotonic_ns: int
    end_monotonic_ns: int
    requester: str = ''
    trial_id: str = ''

    @property
    def seconds(self) -> float:
        """Length in s."""
        return (self.end_monotonic_ns - self.start_monotonic_ns) / 1e9
