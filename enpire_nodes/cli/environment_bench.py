"""The judge and the simulator of a station's configuration, opened in every worker process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
import contextlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2

from enpire_nodes.bringup.configuration import StationConfiguration
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.environment.acceptance.judged import Case, ResetTried
from enpire_nodes.environment.contract.files import digests, environment_files, NOT_MEASURED
from enpire_nodes.environment.evidence import Evidence
from enpire_nodes.environment.setup import judge_setup
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
        self._setup = judge_setup(files.task, files.task_file, files.station_file, files.weights)

    @property
    def task(self) -> Task:
        """Whose judge and reset these are."""
        return self._setup.task

    def crops(self) -> Mapping[str, Crop]:
        """Return by camera what learned eyes are shown.

        :raises StationError: ENVIRONMENT_WEIGHTS_UNUSABLE, the task has no learned eyes.
        """
        return self._setup.crops()

    @cached_property
    def _episodes(self) -> Any:
        from enpire_nodes.drivers.simulated.episodes import EpisodeBench

        with _drawing():
            return EpisodeBench(self.task, self._setup.station)

    @property
    def kinds(self) -> Mapping[str, bool]:
        """Kinds of episodes that the simulator makes, and whether each is a success.

        :raises StationError: ENVIRONMENT_UNLABELLED, the task cannot stage scenes.
        """
        if not hasattr(self.task, 'stager'):
            raise StationError(
                ErrorCode.ENVIRONMENT_UNLABELLED,
                f'the task {self.task.name} has no `stager` that makes labelled episodes; '
                'name a folder of labelled evidence by --evidence, and --episodes 0',
            )
        return self.task.stager().kinds

    def make(self, case: Case) -> tuple[Evidence, int]:
        """Return simulated evidence, and how many scenes were dropped for it.

        :raises StationError: REWARD_INTERNAL, nothing can draw here; or as ``EpisodeBench.make``.
        """
        episode = self._episodes.make(case.kind, case.seed)
        return episode.evidence, episode.redraws

    def verifier(self) -> Verifier:
        """Return a judge that has seen nothing yet."""
        return self._setup.verifier()

    def reset(self, placement: str, seed: int) -> ResetTried:
        """Try one reset in simulation.

        :raises StationError: REWARD_INTERNAL, nothing can draw here.
        """
        from enpire_nodes.drivers.simulated.resets import try_reset

        with _drawing():
            return try_reset(self.task, self._setup.station, placement, seed)

    def close(self) -> None:
        """Give the drawing context back."""
        if '_episodes' in self.__dict__:
            self._episodes.close()


@contextlib.contextmanager
def _drawing() -> Iterator[None]:
    """Let a bench that cannot draw be refused as everything else is."""
    from enpire_nodes.simulation.rendering import RenderingError

    try:
        yield
    except RenderingError as error:
        raise StationError(ErrorCode.REWARD_INTERNAL, str(error)) from error
