"""The task and the cameras of a station, from the parameters of a node."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from enpire_nodes.common.cameras import Camera, cameras_from_settings
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.files import config_directory, config_file
from enpire_nodes.ros.node import StationNode
from enpire_nodes.ros.parameters import ParameterSpec
from enpire_nodes.tasks.api import Task, Verifier
from enpire_nodes.tasks.eye import Eye
from enpire_nodes.tasks.registry import load_task

#: Declared by every node that works on a task.
TASK_PARAMETERS = (
    ParameterSpec('task', 'pin_insertion', 'Name of the task to work on.', read_only=True),
    ParameterSpec(
        'task_file',
        '',
        'Settings file of the task; empty takes config/tasks/<task>.yaml, if there is one.',
        read_only=True,
    ),
    ParameterSpec(
        'station_file',
        'stations/simulated.yaml',
        'Station file with the calibrated cameras; absolute, or relative to config/.',
        read_only=True,
    ),
    ParameterSpec(
        'weights_file',
        '',
        'Weights of the learned eyes that judge (see `enpire environment fit`); empty judges by '
        'geometry and force alone.',
        read_only=True,
    ),
    ParameterSpec('arms', ['left', 'right'], 'Names of all arms of the station.', read_only=True),
)


@dataclass(frozen=True, slots=True, eq=False)
class TaskContext:
    """What the nodes of a station share by configuration.

    :param eyes: learned ones, by camera; None where no weights are named.
    """

    task: Task
    cameras: Mapping[str, Camera]
    arms: tuple[str, ...]
    eyes: Mapping[str, Eye] | None = None

    def verifier(self) -> Verifier:
        """Return a judge that has seen nothing yet."""
        if self.eyes is None:
            return self.task.verifier(self.cameras)
        return self.task.verifier(self.cameras, self.eyes)


def shipped_settings(task: str) -> Path | None:
    """Return ``config/tasks/<task>.yaml``, or None for a task that keeps its settings itself."""
    path = config_directory() / 'tasks' / f'{task}.yaml'
    return path if path.is_file() else None


def load_context(node: StationNode, *, otherwise: ErrorCode) -> TaskContext:
    """Read :data:`TASK_PARAMETERS` of ``node``.

    :param otherwise: code of the error when a file or the task cannot be used.
    :raises StationError: names the file or parameter to mend.
    """
    name = node.get_parameter('task').value
    given = node.get_parameter('task_file').value
    try:
        station_file = config_file(node.get_parameter('station_file').value)
        station = yaml.safe_load(station_file.read_text(encoding='utf-8'))
        cameras = cameras_from_settings(station['cameras'])
        task = load_task(name, config_file(given) if given else shipped_settings(name))
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError) as error:
        raise StationError(otherwise, f'cannot load the task or the station: {error}') from error
    missing = sorted(set(task.cameras) - set(cameras))
    if missing:
        raise StationError(
            otherwise, f'{station_file} lacks the camera(s) {missing} that task {name} needs'
        )
    wanted = {camera: cameras[camera] for camera in task.cameras}
    weights = node.get_parameter('weights_file').value
    eyes = _eyes(Path(weights).expanduser(), task, wanted) if weights else None
    return TaskContext(task, wanted, tuple(node.get_parameter('arms').value), eyes)


def _eyes(weights: Path, task: Task, cameras: Mapping[str, Camera]) -> Mapping[str, Eye]:
    from enpire_nodes.environment.learned.weights import load_eyes

    if not hasattr(task, 'crops'):
        raise StationError(
            ErrorCode.ENVIRONMENT_WEIGHTS_UNUSABLE,
            f'the task {task.name} has no `crops` for learned eyes; leave weights_file empty',
        )
    return load_eyes(weights, task=task.name, crops=task.crops(cameras))
