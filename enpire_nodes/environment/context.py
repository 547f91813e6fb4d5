"""The task and the cameras of a station, from the parameters of a node."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from enpire_nodes.common.cameras import Camera
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.files import config_directory, config_file
from enpire_nodes.environment.setup import judge_setup, JudgeSetup
from enpire_nodes.ros.node import StationNode
from enpire_nodes.ros.parameters import ParameterSpec
from enpire_nodes.tasks.api import Task, Verifier

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
    """What the nodes of a station share by configuration."""

    setup: JudgeSetup
    arms: tuple[str, ...]

    @property
    def task(self) -> Task:
        """The task."""
        return self.setup.task

    @property
    def cameras(self) -> Mapping[str, Camera]:
        """Calibrated, those that the task needs, by name."""
        return self.setup.cameras

    def verifier(self) -> Verifier:
        """Return a judge that has seen nothing yet."""
        return self.setup.verifier()


def shipped_settings(task: str) -> Path | None:
    """Return ``config/tasks/<task>.yaml``, or None for a task that keeps its settings itself."""
    path = config_directory() / 'tasks' / f'{task}.yaml'
    return path if path.is_file() else None


def load_context(node: StationNode, *, otherwise: ErrorCode) -> TaskContext:
    """Read :data:`TASK_PARAMETERS` of ``node``.

    :param otherwise: code of the error when a file or the task cannot be used.
    :raises StationError: names the file or parameter to mend.
    """
    value = {spec.name: node.get_parameter(spec.name).value for spec in TASK_PARAMETERS}
    task, given = value['task'], value['task_file']
    try:
        task_file = config_file(given) if given else shipped_settings(task)
        station_file = config_file(value['station_file'])
    except OSError as error:
        raise StationError(otherwise, f'cannot load the task or the station: {error}') from error
    weights = Path(value['weights_file']).expanduser() if value['weights_file'] else None
    setup = judge_setup(task, task_file, station_file, weights, otherwise=otherwise)
    return TaskContext(setup, tuple(value['arms']))
