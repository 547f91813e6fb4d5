"""A judge as a station has it: a task, the cameras that look at it, and learned eyes or none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from enpire_nodes.common.cameras import Camera, cameras_from_settings
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.tasks.api import Task, Verifier
from enpire_nodes.tasks.eye import Crop, Eye
from enpire_nodes.tasks.registry import load_task


@dataclass(frozen=True, slots=True, eq=False)
class JudgeSetup:
    """What a judge is made of.

    :param station: content of the station's file.
    :param cameras: calibrated, those that the task needs, by name.
    :param eyes: learned, by camera; None judges by geometry and force alone.
    """

    task: Task
    station: Mapping[str, Any]
    cameras: Mapping[str, Camera]
    eyes: Mapping[str, Eye] | None = None

    def verifier(self) -> Verifier:
        """Return a judge that has seen nothing yet."""
        if self.eyes is None:
            return self.task.verifier(self.cameras)
        return self.task.verifier(self.cameras, self.eyes)

    def crops(self) -> Mapping[str, Crop]:
        """Return by camera what learned eyes are shown.

        :raises StationError: ENVIRONMENT_WEIGHTS_UNUSABLE, the task has no learned eyes.
        """
        return _crops(self.task, self.cameras)


def judge_setup(
    task: str,
    task_file: Path | None,
    station_file: Path,
    weights: Path | None,
    *,
    otherwise: ErrorCode = ErrorCode.REWARD_INTERNAL,
) -> JudgeSetup:
    """Read what a judge is made of.

    :param task: its name.
    :param weights: of the learned eyes; None for none.
    :param otherwise: code of the error when the task or the station cannot be used.
    :raises StationError: that, or ENVIRONMENT_WEIGHTS_UNUSABLE; names the file and what is wrong.
    """
    try:
        station = yaml.safe_load(station_file.read_text(encoding='utf-8'))
        known = cameras_from_settings(station['cameras'])
        loaded = load_task(task, task_file)
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError) as error:
        why = f'cannot load the task {task} or {station_file}: {error}'
        raise StationError(otherwise, why) from error
    if missing := sorted(set(loaded.cameras) - set(known)):
        raise StationError(
            otherwise, f'{station_file} lacks the camera(s) {missing} that task {task} needs'
        )
    cameras = {name: known[name] for name in loaded.cameras}
    eyes = None
    if weights is not None:
        from enpire_nodes.environment.learned.weights import load_eyes

        eyes = load_eyes(weights, task=loaded.name, crops=_crops(loaded, cameras))
    return JudgeSetup(loaded, station, cameras, eyes)


def _crops(task: Task, cameras: Mapping[str, Camera]) -> Mapping[str, Crop]:
    if not hasattr(task, 'crops'):
        raise StationError(
            ErrorCode.ENVIRONMENT_WEIGHTS_UNUSABLE,
            f'the task {task.name} has no `crops` for learned eyes; leave the weights out',
        )
    return task.crops(cameras)
