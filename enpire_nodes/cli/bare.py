"""The same station as a configuration describes, in this process."""

from __future__ import annotations

from collections.abc import Callable
import contextlib
from dataclasses import fields, replace
from pathlib import Path

import numpy as np

from enpire_nodes.bringup.configuration import StationConfiguration
from enpire_nodes.common.cameras import cameras_from_settings
from enpire_nodes.common.types import Observation
from enpire_nodes.drivers.simulated.station import SimulatedStation
from enpire_nodes.rollout.records import TrialRecord
from enpire_nodes.rollout.trial.bare import BareSettings, BareStation, MemoryBook
from enpire_nodes.rollout.trial.protocol import run_trial
from enpire_nodes.rollout.trial.timeline import Timeline
from enpire_nodes.simulation.noise import NoiseSettings
from enpire_nodes.simulation.settings import BenchSettings, load_station
from enpire_nodes.tasks.registry import load_task


class BareBench:
    """A simulated station and a protocol on it, without ROS; a context manager.

    :param configuration: whose task, scene, seed and noise it takes.
    :param realtime: keep to the wall clock.
    :param watch: gets every observation.
    """

    def __init__(
        self,
        configuration: StationConfiguration,
        *,
        realtime: bool = False,
        watch: Callable[[Observation], None] = lambda observation: None,
    ) -> None:
        mapping = load_station(configuration.station_file)
        self.task = task = load_task(configuration.task, configuration.task_file)
        given = dict(configuration.parameters.get('driver', {}))
        executor = dict(configuration.parameters.get('policy_executor', {}))
        noise = BenchSettings.from_mapping(mapping).noise
        changed = {
            item.name: given[f'noise.{item.name}']
            for item in fields(NoiseSettings)
            if f'noise.{item.name}' in given
        }
        self.simulation = SimulatedStation(
            task, mapping, seed=configuration.seed, noise=replace(noise, **changed)
        )
        settings = BareSettings(realtime=realtime)
        if 'timeout' in executor:
            settings = replace(settings, timeout=float(executor['timeout']))
        self.station = BareStation(
            self.simulation,
            task,
            cameras_from_settings(mapping['cameras']),
            settings=settings,
            watch=watch,
        )
        self._timeline = Timeline(lambda interval: None)
        self._count = 0

    def run(self, controller: str, seed: int, *, max_attempts: int = 1) -> TrialRecord:
        """Run one trial and return its record."""
        self.station.prepare(controller, {})
        self._count += 1
        trial = TrialRecord(
            f'bare-{self._count}', controller=controller, seed=seed, max_attempts=max_attempts
        )
        return run_trial(
            trial,
            Path('/nonexistent'),
            station=self.station,
            book=MemoryBook(),
            timeline=self._timeline,
        )

    def close(self) -> None:
        """Give the simulation's drawing context back."""
        self.simulation.close()

    def __enter__(self) -> BareBench:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _EnoughError(Exception):
    """The moment to photograph has come."""


def photograph_attempt(
    configuration: StationConfiguration, controller: str, seed: int, *, depth: float = 0.01
) -> np.ndarray:
    """Reset, let an attempt begin, and take a picture while the pin goes down.

    :param depth: m that the tool has gone down since the policy began.
    :return: (height, width, 3) uint8 RGB.
    :raises RenderingError: if nothing can draw here.
    """
    heights: list[float] = []

    def watch(observation: Observation) -> None:
        heights.append(float(observation.arms[bench.task.arm].position[2]))
        if executing and heights[0] - heights[-1] > depth:
            raise _EnoughError

    executing = False
    with BareBench(configuration, watch=watch) as bench:
        bench.station.prepare(controller, {})
        ready = bench.station.reset('photograph', seed)
        heights.clear()
        executing = True
        if ready.fixture is not None:
            with contextlib.suppress(_EnoughError):
                bench.station.execute(
                    'photograph', 1, seed=seed, fixture=ready.fixture, previous=()
                )
        return bench.simulation.photograph()
