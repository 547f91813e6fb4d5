"""What a process can say of itself: which code it has, and which settings it works with.

Every node of the environment tells this, so that one that was started from other files, or before
they were frozen, is noticed although every file on the disk is in order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from functools import lru_cache
import hashlib
import json

import numpy as np

from enpire_nodes.common.cameras import Camera
from enpire_nodes.environment.contract.files import (
    combined_digest,
    core_files,
    digests,
    task_files,
)
from enpire_nodes.environment.contract.libraries import library_digests
from enpire_nodes.environment.contract.running import process_problems
from enpire_nodes.tasks.api import Task


@lru_cache(maxsize=1)
def found_code() -> str:
    """Return the sha256 over the package's frozen code, as this process first found it.

    :raises StationError: ENVIRONMENT_CHANGED, a file of it is no readable regular one.
    """
    return combined_digest(digests(core_files()))


def code_digest() -> str:
    """Return :func:`found_code`; in words what of this process comes from somewhere else."""
    found = found_code()
    return '; '.join(process_problems(core_files().listing())) or found


def told_libraries() -> list[str]:
    """Return what a node tells of the libraries that it runs; see :func:`heard_libraries`."""
    return [f'{name}={value}' for name, value in library_digests().items()]


def heard_libraries(told: object) -> dict[str, str]:
    """Return the libraries by name, of what :func:`told_libraries` gave to a node.

    :param told: whatever the node says instead; what is no list of words names none.
    """
    words = [str(entry) for entry in told] if isinstance(told, list) else []
    return {name: value for name, _, value in (entry.partition('=') for entry in words)}


def settings_digest(task: Task, cameras: Mapping[str, Camera]) -> str:
    """Return the sha256 over a task's code and settings and its calibrated cameras.

    :raises StationError: ENVIRONMENT_CHANGED, a file of the task is no readable regular one.
    """
    content = {
        'task': task.digest(),
        # another package may offer a task of that name, and say of itself what it likes
        'code': combined_digest(digests(task_files(task))),
        'cameras': {
            name: {field.name: _plain(getattr(camera, field.name)) for field in fields(Camera)}
            for name, camera in cameras.items()
        },
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _plain(value: object) -> object:
    return value.tolist() if isinstance(value, np.ndarray) else value
