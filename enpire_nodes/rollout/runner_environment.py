"""The environment of a trial runner, from its parameters."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.files import config_file
from enpire_nodes.environment.context import shipped_settings, TaskContext
from enpire_nodes.environment.contract.guard import Guard
from enpire_nodes.environment.contract.subject import Subject, subject_of
from enpire_nodes.rollout.frozen import Environment, unfrozen_digest
from enpire_nodes.ros.node import StationNode


def load_environment(
    node: StationNode, context: TaskContext, *, limits: Callable[[], str]
) -> Environment:
    """Return the environment that ``node`` is configured with, checked against its manifest.

    :param limits: gives what the safety gate says of its limits.
    :raises StationError: as for :class:`Guard`; or ENVIRONMENT_MANIFEST_INVALID, there is a
        manifest and no file of limits to hold against it.
    """
    manifest = node.get_parameter('manifest').value
    if not manifest:
        return Environment(None, lambda: unfrozen_digest(context.task.digest(), limits()))
    try:
        subject = subject_of_node(node, context)
    except FileNotFoundError as error:
        raise StationError(
            ErrorCode.ENVIRONMENT_MANIFEST_INVALID,
            f'the manifest {manifest} cannot be held against this station: {error}',
        ) from error
    every = node.get_parameter('full_check_every').value
    return Environment(Guard(Path(manifest), subject, full_every=every), lambda: '')


def subject_of_node(node: StationNode, context: TaskContext) -> Subject:
    """Return the environment of the station that ``node`` belongs to.

    Without parameters: those are asked of the nodes that have them.

    :raises FileNotFoundError: the node was given a file that is not there, or no limits.
    :raises StationError: as for :func:`~.subject.subject_of`.
    """
    files = _settings_files(node, context.task.name)
    return subject_of(context.setup, settings=files, parameters={})


def _settings_files(node: StationNode, task: str) -> dict[str, Path | None]:
    def given(name: str) -> Path | None:
        value = node.get_parameter(name).value if node.has_parameter(name) else ''
        return config_file(value) if value else None

    limits = given('limits_file')
    if limits is None:
        raise FileNotFoundError('limits_file is not set')
    return {
        'limits': limits,
        'station': given('station_file'),
        'task': given('task_file') or shipped_settings(task),
        'weights': given('weights_file'),
    }
