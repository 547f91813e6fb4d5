"""The judge and the simulator of a station's configuration, opened in every worker process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import yaml

from enpire_nodes.bringup.configuration import StationConfiguration
from enpire_nodes.common.cameras import Camera, cameras_from_settings
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.environment.acceptance.judged import Case, ResetTried
from enpire_nodes.environment.contract.files import digests, environment_files, NOT_MEASURED
from enpire_nodes.environment.evidence import Evidence
from enpire_nodes.tasks.api import Task, Verifier
from enpire_nodes.tasks.eye import Crop
from enpire_nodes.tasks.registry import load_task


@dataclass(frozen=True, slots=True)
class BenchFiles:
    """Which judge on which bench; opens one by being called.

    :param task: its name.
    :param weights: of the learned eyes; None judges by geometry and force alone.
    """

    task: str
    task_file: Path | None
    station_file: Path
    weights: Path | None = None

    @classmethod
    def of(cls, configuration: StationConfiguration, weights: Path | None) -> BenchFiles:
        """Return what a station of this configuration has.

        :param weights: instead of those of the configuration.
        """
        chosen = weights or configuration.weights_file
        return cls(
            configuration.task,
            configuration.task_file,
            configuration.station_file,
            None if chosen is None else chosen.expanduser().resolve(),
        )

    def __call__(self) -> JudgeBench:
        """Open it; OpenCV shall not start threads, as there is a worker for every core."""
        cv2.setNumThreads(1)
        return JudgeBench(self)

    def digests(self) -> dict[str, str]:
        """Return the sha256 by name of every file on which what is measured depends."""
        task = load_task(self.task, self.task_file)
        settings = {'station': self.station_file, 'task': self.task_file, 'weights': self.weights}
        return {
            name: digest
            for name, digest in digests(environment_files(task, settings)).items()
            if not name.startswith(NOT_MEASURED)
        }


class JudgeBench:
    """Makes episodes, judges and resets; see :class:`~.measure.Workbench`.

    :param files: of which station.
    :raises StationError: a file cannot be used.
    """

    def __init__(self, files: BenchFiles) -> None:
        try:
            self._settings: Mapping[str, Any] = yaml.safe_load(
                files.station_file.read_text(encoding='utf-8')
            )
            cameras = cameras_from_settings(self._settings['cameras'])
            self.task: Task = load_task(files.task, files.task_file)
            self._cameras: Mapping[str, Camera] = {
                name: cameras[name] for name in self.task.cameras
            }
        except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError) as error:
            raise StationError(
                ErrorCode.REWARD_INTERNAL,
                f'cannot load the task {files.task} or {files.station_file}: {error}',
            ) from error
        self._eyes: Mapping[str, Any] | None = None
        if files.weights is not None:
            from enpire_nodes.environment.learned.weights import load_eyes

            self._eyes = load_eyes(
                files.weights, task=self.task.name, crops=self.task.crops(self._cameras)
            )

    def crops(self) -> Mapping[str, Crop]:
        """Return by camera what learned eyes are shown.

        :raises StationError: ENVIRONMENT_WEIGHTS_UNUSABLE, the task has no learned eyes.
        """
        if not hasattr(self.task, 'crops'):
            raise StationError(
                ErrorCode.ENVIRONMENT_WEIGHTS_UNUSABLE,
                f'the task {self.task.name} has no `crops` for learned eyes; it needs none',
            )
        return self.task.crops(self._cameras)

    @cached_property
    def _episodes(self) -> Any:
        from enpire_nodes.drivers.simulated.episodes import EpisodeBench

        return EpisodeBench(self.task, self._settings)

    @property
    def kinds(self) -> Mapping[str, bool]:
        """Kinds of episodes that the simulator makes, and whether each is a success.

        :raises StationError: ENVIRONMENT_UNLABELLED, the task cannot stage scenes.
        """
        if not hasattr(self.task, 'stager'):
            raise StationError(
                ErrorCode.ENVIRONMENT_UNLABELLED,
                f'the task {self.task.name} has no `stager` that makes labelled episodes; '
                'name a folder of labelled evidence by --evidence',
            )
        return self.task.stager().kinds

    def make(self, case: Case) -> tuple[Evidence, int]:
        """Return simulated evidence, and how many scenes were dropped for it."""
        episode = self._episodes.make(case.kind, case.seed)
        return episode.evidence, episode.redraws

    def verifier(self) -> Verifier:
        """Return a judge that has seen nothing yet."""
        if self._eyes is None:
            return self.task.verifier(self._cameras)
        return self.task.verifier(self._cameras, self._eyes)

    def reset(self, placement: str, seed: int) -> ResetTried:
        """Try one reset in simulation."""
        from enpire_nodes.drivers.simulated.resets import try_reset

        return try_reset(self.task, self._settings, placement, seed)

    def close(self) -> None:
        """Give the drawing context back."""
        if '_episodes' in self.__dict__:
            self._episodes.close()
