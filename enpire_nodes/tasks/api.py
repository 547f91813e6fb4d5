"""What a task is: a scene, a reset, a way to wind an attempt up, a judge, and what a policy sees.

A lab adds a task as a class in its own package, named in the entry-point group ``enpire.tasks``.
Nothing here or in a task imports ROS; only ``build_scene`` and ``truth`` touch the simulator.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Protocol, TYPE_CHECKING

import numpy as np

from enpire_nodes.common.cameras import Camera
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.types import ArmState, Frame, Observation, Program

if TYPE_CHECKING:
    import mujoco

    from enpire_nodes.tasks.eye import Crop, Eye

#: Called at every new stage of a program: its name, what happens, and the recoveries so far.
Report = Callable[[str, str, int], None]

#: Failures of a reset that trying again does not cure.
OPERATOR_CODES = frozenset(
    {
        ErrorCode.RESET_PIN_NOT_FOUND,
        ErrorCode.RESET_PIN_OUT_OF_REACH,
        ErrorCode.RESET_LYING_NOT_RECOVERED,
        ErrorCode.RESET_FIXTURE_NOT_FOUND,
        ErrorCode.RESET_CAMERA_MISSING,
    }
)


class Outcome(IntEnum):
    """What evidence says; numbered as in ``enpire_msgs/Vote`` and ``Verdict``."""

    UNSET = 0
    FAILURE = 1
    SUCCESS = 2
    UNCERTAIN = 3


@dataclass(frozen=True, slots=True, eq=False)
class Pose:
    """A place in ``world``: ``position`` (3,) m and ``quaternion`` (4,) xyzw."""

    position: np.ndarray
    quaternion: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class ResetReport:
    """A reset that succeeded.

    :param fixture: the goal of the task as the cameras see it.
    :param recoveries: causes of the recoveries it took, in order.
    :param duration: s of the station's clock.
    :param start_offset: (2,) m, drawn from the seed: where the object starts beside the goal.
    :param message: for a person.
    """

    fixture: Pose
    recoveries: tuple[str, ...]
    duration: float
    start_offset: np.ndarray
    message: str = ''


class ResetFailedError(StationError):
    """A reset that could not succeed, and the recoveries that it tried."""

    def __init__(self, code: ErrorCode, message: str, recoveries: tuple[str, ...] = ()) -> None:
        super().__init__(code, message)
        self.recoveries = recoveries

    @property
    def operator_needed(self) -> bool:
        """Whether a person must put it right."""
        return self.code in OPERATOR_CODES


@dataclass(frozen=True, slots=True)
class SettleReport:
    """An attempt that is wound up.

    :param can_retry: the object is still in the hand and back at the start.
    :param settle_start: s, when the policy had ended.
    :param settled: s, when the arm had let go (or not), retreated and stood still.
    :param message: for a person.
    """

    can_retry: bool
    settle_start: float
    settled: float
    message: str = ''


@dataclass(frozen=True, slots=True)
class Vote:
    """What one independent source of evidence says; fields as in ``enpire_msgs/Vote``."""

    source: str
    verdict: Outcome
    score: float
    samples: int
    age: float
    reason: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """What all of the evidence says; fields as in ``enpire_msgs/Verdict``."""

    outcome: Outcome
    score: float
    votes: tuple[Vote, ...]
    latency: float
    error_code: ErrorCode
    message: str


class Verifier(Protocol):
    """Judges an attempt from pictures and forces that it is given; knows nothing else."""

    digest: str

    def add_frame(self, name: str, frame: Frame) -> None:
        """Take in a picture; cheap, keeps the newest few seconds."""

    def add_arm_state(self, state: ArmState) -> None:
        """Take in a state of the working arm; cheap, keeps the newest minute."""

    def ready(self, *, settle_start: float, settled: float, min_frames: int = 0) -> bool:
        """Tell whether the evidence suffices; looks at every new picture once."""

    def decide(
        self, *, now: float, settle_start: float, settled: float, min_frames: int = 0
    ) -> Judgement:
        """Judge by what is there. Missing, stale or repeated evidence gives UNCERTAIN."""


class Observer(Protocol):
    """Turns observations into what a policy gets."""

    def features(self, observation: Observation, *, elapsed: float = 0.0) -> dict[str, np.ndarray]:
        """Return float64 arrays of fixed shapes; to be called once a control period."""

    def reset(self) -> None:
        """Forget the attempt before."""


class Task(Protocol):
    """One task of a station; see the module's docstring."""

    name: str
    settings: Any
    arm: str
    cameras: tuple[str, ...]
    placements: tuple[str, ...]

    @property
    def hand_down(self) -> np.ndarray:
        """The (4,) xyzw orientation of the hand at the start of an attempt."""

    @property
    def motion(self) -> dict[str, float]:
        """Numbers that controllers may use: heights in m, forces in N, speeds in m/s."""

    def digest(self) -> str:
        """Return the sha256 over the task's frozen code and its settings."""

    def build_scene(
        self, spec: mujoco.MjSpec, rng: np.random.Generator, placement: str = ''
    ) -> None:
        """Add the task's bodies to a simulated bench."""

    def truth(self, model: mujoco.MjModel, data: mujoco.MjData) -> dict[str, Any]:
        """Return what is really so in a simulation; for tests and audits alone."""

    def reset(
        self, cameras: Mapping[str, Camera], *, seed: int, report: Report | None = None
    ) -> Program[ResetReport]:
        """Put the scene back; raises :class:`ResetFailedError` when it cannot."""

    def settle(self, fixture: Pose, *, report: Report | None = None) -> Program[SettleReport]:
        """Wind an attempt up: collect force evidence, let go or lift, and retreat."""

    def crops(self, cameras: Mapping[str, Camera]) -> Mapping[str, Crop]:
        """Return by camera which part of its pictures a learned eye is shown."""

    def verifier(
        self, cameras: Mapping[str, Camera], eyes: Mapping[str, Eye] | None = None
    ) -> Verifier:
        """Return a judge.

        :param eyes: learned ones by camera, whose digests enter that of the judge; None for none.
        """

    def observer(self, cameras: Mapping[str, Camera], fixture: Pose) -> Observer:
        """Return the eyes of a policy."""
