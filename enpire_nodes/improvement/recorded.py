"""What is kept of a trial to learn from: what the policy saw, where it went, how it was judged.

An attempt of ``n`` control periods has ``n + 1`` rows of features: the last one is what was seen
after the last action. The feature ``target`` of a row is where the tool had been sent *before* it,
so that the action of period ``t``, as it was executed, is ``target[t + 1] - target[t]``. Nothing
else of the action is kept: whatever a recipe calls an action (a step, a chunk, a correction of
another policy) is worked out of this when it learns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from enpire_nodes.common.errors import ErrorCode, StationError


@dataclass(frozen=True, slots=True, eq=False)
class RecordedAttempt:
    """One execution of a policy.

    :param index: counts from 1 within the trial.
    :param stamps: (n + 1,) s of the station's clock, of the rows.
    :param features: (n + 1, size) float32 by name, in SI units, as the task's observer gives them.
    :param images: (n + 1, size, size, 3) uint8 RGB by camera; empty unless pictures were asked
        for. Each row has the newest picture by then.
    :param verdict: ``success``, ``failure``, ``uncertain`` or ``unset`` (not judged).
    :param execution: ``completed``, ``timed_out``, ``aborted``, ``canceled`` or ``unsafe``.
    :param peak_force: N, largest norm of the measured force.
    :param depth: m, deepest descent of the tool below its start.
    """

    index: int
    stamps: np.ndarray
    features: Mapping[str, np.ndarray]
    images: Mapping[str, np.ndarray] = field(default_factory=dict)
    verdict: str = 'unset'
    execution: str = 'unset'
    peak_force: float = 0.0
    depth: float = 0.0

    def pictures(self, size: int) -> np.ndarray:
        """Return (n + 1, cameras, size, size, 3) uint8, the cameras in the order of their names.

        :raises StationError: IMPROVEMENT_DATA_MISSING, there are none, or of another size.
        """
        shapes = {images.shape[1:] for images in self.images.values()}
        if shapes != {(size, size, 3)}:
            raise StationError(
                ErrorCode.IMPROVEMENT_DATA_MISSING,
                f'observation.images is {size} px, and a recorded attempt has '
                f'{sorted(shapes) or "no pictures"}; train on runs whose bags are there, or set '
                'it to 0',
            )
        return np.stack([self.images[name] for name in sorted(self.images)], axis=1)

    @property
    def steps(self) -> int:
        """Number of control periods in which the policy acted."""
        return max(0, len(self.stamps) - 1)

    @property
    def success(self) -> bool:
        """Whether it was judged a success."""
        return self.verdict == 'success'

    @property
    def aborted(self) -> bool:
        """Whether a fault or a person ended it, so that its end says nothing of the policy."""
        return self.execution not in ('completed', 'timed_out')

    @property
    def timed_out(self) -> bool:
        """Whether its time was up: a truncation, through which a value function bootstraps."""
        return self.execution == 'timed_out'


@dataclass(frozen=True, slots=True, eq=False)
class RecordedTrial:
    """One reset and the attempts after it.

    :param outcome: of the trial, in lower case, for example ``success`` or ``faulted``.
    :param controller: that ran it, for example ``teleop``.
    :param controller_digest: sha256 over its code, settings and weights.
    :param requester: who asked for it.
    :param commit: of the recipe, where there was one.
    :param explored: whether the policy was told to explore.
    :param operator_seconds: for which a person steered.
    :param robot_seconds: of resetting, executing and verifying, by the station's clock.
    """

    trial_id: str
    attempts: tuple[RecordedAttempt, ...]
    outcome: str = 'unset'
    controller: str = ''
    controller_digest: str = ''
    requester: str = ''
    commit: str = ''
    explored: bool = False
    operator_seconds: float = 0.0
    robot_seconds: float = 0.0
    control_rate: float = 30.0

    @property
    def success(self) -> bool:
        """Whether an attempt was judged a success."""
        return self.outcome == 'success'

    @property
    def steps(self) -> int:
        """Number of control periods of all attempts."""
        return sum(attempt.steps for attempt in self.attempts)
