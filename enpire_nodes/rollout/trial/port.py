"""What the trial protocol needs of a station, however that station is reached.

Two implementations: :class:`~enpire_nodes.rollout.station_client.StationClient` talks to the
nodes of a station, :class:`~enpire_nodes.rollout.trial.bare.BareStation` calls the same reset,
policy and verifier in one process.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from enpire_nodes.common.errors import ErrorCode
from enpire_nodes.rollout.records import (
    AttemptRecord,
    Execution,
    ParameterValue,
    VerdictRecord,
)
from enpire_nodes.tasks.api import Pose


@dataclass(frozen=True, slots=True, eq=False)
class ResetResult:
    """How a reset ended.

    :param fixture: the goal of the task; None unless the scene is ready.
    :param operator_needed: only a person can put it right.
    :param recoveries: causes of the recoveries it took or tried, in order.
    """

    fixture: Pose | None
    error_code: ErrorCode = ErrorCode.NONE
    message: str = ''
    operator_needed: bool = False
    recoveries: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ExecuteResult:
    """How one execution of the policy ended; instants in ns of the station's clock.

    :param can_retry: the object is still in hand, so that another attempt makes sense.
    :param settle_start_ns: the policy had ended.
    :param settled_ns: the arm had let go, retreated and stood still.
    """

    execution: Execution
    error_code: ErrorCode = ErrorCode.NONE
    message: str = ''
    can_retry: bool = False
    start_ns: int = 0
    settle_start_ns: int = 0
    settled_ns: int = 0
    steps: int = 0
    deadline_misses: int = 0
    operator_seconds: float = 0.0
    peak_force: float = 0.0
    depth: float = 0.0
    controller: str = ''
    controller_digest: str = ''
    controller_parameters: dict[str, ParameterValue] = field(default_factory=dict)

    @property
    def to_be_judged(self) -> bool:
        """Whether the attempt ended in a way that leaves something to look at."""
        return self.execution in (Execution.COMPLETED, Execution.TIMED_OUT, Execution.ABORTED)


@dataclass(frozen=True, slots=True)
class Recording:
    """A closed bag.

    :param usable: every required topic can be read from it, perhaps with losses.
    :param complete: nothing that was sent is missing.
    :param message: what is wrong with it, empty when nothing is.
    """

    usable: bool = True
    complete: bool = True
    error_code: ErrorCode = ErrorCode.NONE
    message: str = ''
    digest: str = ''


class Station(Protocol):
    """A station as the trial protocol sees it.

    Every method blocks, has a deadline of its own, and raises
    :class:`~enpire_nodes.common.errors.StationError` when it cannot return: RUNNER_NODE_LOST,
    RUNNER_ESTOPPED, RUNNER_CANCELED, RUNNER_STAGE_TIMEOUT or the code of the node that refused.
    A method that raises has made sure that what it started stands still.
    """

    def now_ns(self) -> int:
        """Return the station's clock in ns."""

    def prepare(self, controller: str, parameters: Mapping[str, ParameterValue]) -> str:
        """Wait until a trial may start, and set the controller for it.

        :param controller: empty keeps the current one, with its parameters.
        :return: name of the controller in charge.
        """

    def check(self) -> None:
        """Raise what would keep a trial from going on now; return at once otherwise."""

    def start_recording(self, trial_id: str, bag: Path) -> None:
        """Start the trial's bag; return when every required topic is arriving in it."""

    def reset(self, trial_id: str, seed: int) -> ResetResult:
        """Put the scene back; ``seed`` is the starting pose's."""

    def execute(
        self,
        trial_id: str,
        attempt: int,
        *,
        seed: int,
        fixture: Pose,
        previous: tuple[AttemptRecord, ...],
    ) -> ExecuteResult:
        """Run the policy once, then let go and retreat; ``seed`` is the policy's."""

    def judge(
        self, trial_id: str, attempt: int, *, settle_start_ns: int, settled_ns: int
    ) -> VerdictRecord:
        """Decide whether the attempt reached the goal."""

    def stop_recording(self, trial_id: str) -> Recording:
        """Close the bag and check it; works while the station is stopped or canceled, too."""
