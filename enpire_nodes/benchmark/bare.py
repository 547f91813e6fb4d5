"""Trials without the suite: the same reset, policy and verifier, called in one process.

What every node of a station is measured against. No ROS is imported here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
import time
from typing import Any

from enpire_nodes.benchmark.timing import TrialTiming
from enpire_nodes.bringup.configuration import StationConfiguration
from enpire_nodes.common.cameras import cameras_from_settings
from enpire_nodes.drivers.simulated.station import SimulatedStation
from enpire_nodes.rollout.records import TrialRecord
from enpire_nodes.rollout.trial.bare import BareSettings, BareStation, MemoryBook
from enpire_nodes.rollout.trial.protocol import run_trial
from enpire_nodes.rollout.trial.timeline import Timeline
from enpire_nodes.simulation.noise import NoiseSettings
from enpire_nodes.simulation.settings import load_station
from enpire_nodes.tasks.registry import load_task


@dataclass(frozen=True, slots=True)
class BareSetup:
    """What a bare process needs of a station's configuration; can be sent to another process.

    :param noise: of the driver, where it differs from the station file's.
    :param settings: of the controller, where they differ from their defaults.
    """

    task: str
    task_file: str
    station_file: str
    seed: int
    noise: Mapping[str, float]
    controller: str
    settings: Mapping[str, Any]
    max_attempts: int

    @classmethod
    def of(
        cls, configuration: StationConfiguration, *, controller: str, max_attempts: int
    ) -> BareSetup:
        """Take over what the nodes of a station would be told."""
        return cls(
            task=configuration.task,
            task_file=str(configuration.task_file or ''),
            station_file=str(configuration.station_file),
            seed=configuration.seed,
            noise=_below('noise.', configuration.parameters.get('driver', {})),
            controller=controller,
            settings=_below(f'{controller}.', configuration.parameters.get('policy_executor', {})),
            max_attempts=max_attempts,
        )


class BareTrials:
    """A simulated station that works by itself, one trial at a time.

    :raises SettingsError, StationError: the station or the controller cannot be made.
    """

    def __init__(self, setup: BareSetup) -> None:
        self._setup = setup
        content = load_station(setup.station_file)
        self._task = load_task(setup.task, setup.task_file or None)
        self._cameras = cameras_from_settings(content['cameras'])
        known = {entry.name for entry in fields(NoiseSettings)}
        noise = {**content.get('noise', {}), **setup.noise}
        self._plant = SimulatedStation(
            self._task,
            content,
            seed=setup.seed,
            noise=replace(NoiseSettings(), **{k: v for k, v in noise.items() if k in known}),
        )
        self.timeline = Timeline(lambda interval: None)
        self._station: BareStation | None = None
        self._paced = False
        self._select(paced=False)

    def run(self, seed: int, *, paced: bool) -> TrialTiming:
        """Run one trial.

        :param seed: of the starting pose.
        :param paced: keep to real time; else as fast as the processor allows.
        """
        if paced != self._paced:
            self._select(paced=paced)
        start, wall = self._plant.now, time.monotonic()
        trial = TrialRecord('bare', seed=seed, max_attempts=self._setup.max_attempts)
        closed = run_trial(
            trial, Path(), station=self._station, book=MemoryBook(), timeline=self.timeline
        )
        return TrialTiming.of(
            closed, wall=time.monotonic() - wall, simulated=self._plant.now - start
        )

    @property
    def station(self) -> BareStation:
        """The station as it is set up now."""
        return self._station

    def close(self) -> None:
        """Release the drawing context."""
        self._plant.close()

    def _select(self, *, paced: bool) -> None:
        self._paced = paced
        self._station = BareStation(
            self._plant, self._task, self._cameras, settings=BareSettings(realtime=paced)
        )
        self._station.prepare(self._setup.controller, self._setup.settings)


def _below(prefix: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name.removeprefix(prefix): value
        for name, value in values.items()
        if name.startswith(prefix)
    }
