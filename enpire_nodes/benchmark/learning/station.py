"""The station that the algorithms are compared on: reset, policy and judge in one process.

The reset, the judge and the physics are those of every station; nothing is reset by setting a
state. Only when a reset says that a person is needed, a person comes: the station is set up anew,
which is counted, and costs the robot a minute.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from enpire_nodes.benchmark.bare import BareSetup, BareTrials
from enpire_nodes.common.files import config_file
from enpire_nodes.improvement.bags import trial_of
from enpire_nodes.improvement.recorded import RecordedTrial
from enpire_nodes.rollout.controllers.registry import make
from enpire_nodes.rollout.records import TrialOutcome, TrialRecord
from enpire_nodes.rollout.trial.bare import MemoryBook
from enpire_nodes.rollout.trial.protocol import run_trial
from enpire_nodes.tasks.api import OPERATOR_CODES

RESCUE = 60.0  # s of robot time
_TASK = 'pin_insertion'


class LearningStation:
    """One simulated station that runs policies.

    :param seed: of the station: its cameras, its sensors, its drift.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self.rescues = 0
        self.robot_seconds = 0.0
        self._count = 0
        self._open()

    def run(
        self, policy: Any, seed: int, *, name: str, attempts: int = 1, explore: bool = False
    ) -> tuple[RecordedTrial, TrialRecord]:
        """Run one trial, with a person's help if the scene needs it first.

        :param policy: a controller's name, or an object with ``reset`` and ``step``.
        :param seed: of the starting pose.
        :param name: of the controller in the record.
        """
        for _ in range(3):
            record = self._run(policy, seed, name=name, attempts=attempts, explore=explore)
            self.robot_seconds += record.robot_seconds
            if record.outcome is not TrialOutcome.RESET_FAILED:
                break
            if record.error_code not in OPERATOR_CODES:
                continue
            self.rescues += 1
            self.robot_seconds += RESCUE
            self._trials.close()
            self._open()
        return trial_of(record, self._trials.station.traces), record

    def close(self) -> None:
        """Release the drawing context."""
        self._trials.close()

    def _open(self) -> None:
        setup = BareSetup(
            _TASK, '', str(config_file('stations/simulated.yaml')), self._seed, {}, 'hold', {}, 1
        )
        self._trials = BareTrials(setup)

    def _run(
        self, policy: Any, seed: int, *, name: str, attempts: int, explore: bool
    ) -> TrialRecord:
        self._count += 1
        station = self._trials.station
        station.use(make(policy) if isinstance(policy, str) else policy, name)
        trial = TrialRecord(
            f'{name.replace(" ", "-")}-{self._seed}-{self._count:04d}',
            controller=name,
            controller_parameters={'learned.explore': explore},
            task=_TASK,
            seed=seed,
            max_attempts=attempts,
        )
        return run_trial(
            trial, Path(), station=station, book=MemoryBook(), timeline=self._trials.timeline
        )
