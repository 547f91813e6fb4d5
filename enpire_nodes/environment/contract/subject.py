"""The environment of a station as it is now: what a freeze writes down and a start compares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from enpire_nodes.common.cameras import Camera
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.environment.contract.files import environment_files, FrozenFiles
from enpire_nodes.environment.contract.identity import code_digest, settings_digest
from enpire_nodes.environment.safety.limits_file import read_limits
from enpire_nodes.tasks.api import Task, Verifier


@dataclass(frozen=True, slots=True)
class Subject:
    """What is to be frozen.

    :param task: its name.
    :param files: all of them, and where they lie.
    :param digests: what the nodes tell of themselves, as in a manifest.
    :param parameters: values by node, as in a manifest.
    """

    task: str
    files: FrozenFiles
    digests: Mapping[str, str]
    parameters: Mapping[str, Mapping[str, Any]]


def judge_of(task: Task, cameras: Mapping[str, Camera], weights: Path | None) -> Verifier:
    """Return the judge that a station makes of a task, with learned eyes where it has weights.

    :raises StationError: ENVIRONMENT_WEIGHTS_UNUSABLE.
    """
    if weights is None:
        return task.verifier(cameras)
    if not hasattr(task, 'crops'):
        raise StationError(
            ErrorCode.ENVIRONMENT_WEIGHTS_UNUSABLE,
            f'the task {task.name} has no `crops` for learned eyes; name no weights',
        )
    from enpire_nodes.environment.learned.weights import load_eyes

    return task.verifier(cameras, load_eyes(weights, task=task.name, crops=task.crops(cameras)))


def subject_of(
    task: Task,
    cameras: Mapping[str, Camera],
    *,
    settings: Mapping[str, Path | None],
    parameters: Mapping[str, Mapping[str, Any]],
) -> Subject:
    """Return the environment that these make.

    :param cameras: those that the task uses.
    :param settings: files of the station's configuration by what they are: ``limits``,
        ``station``, ``task``, ``weights``; None where there is none.
    :param parameters: values by node of the environment.
    :raises StationError: GATE_LIMITS_INVALID, ENVIRONMENT_WEIGHTS_UNUSABLE, or a file that cannot
        be frozen.
    """
    return Subject(
        task=task.name,
        files=environment_files(task, settings),
        digests={
            'code': code_digest(),
            'settings': settings_digest(task, cameras),
            'verifier': judge_of(task, cameras, settings.get('weights')).digest,
            'limits': read_limits(settings['limits']).digest,
        },
        parameters=parameters,
    )
