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
from enpire_nodes.environment.contract.files import combined_digest, core_files, digests
from enpire_nodes.environment.contract.running import shadow_problems
from enpire_nodes.tasks.api import Task


@lru_cache(maxsize=1)
def code_digest() -> str:
    """Return the sha256 over the package's frozen code, as this process first found it.

    In words, when a module of this process comes from somewhere else.

    :raises StationError: ENVIRONMENT_CHANGED, a file of it is no readable regular one.
    """
    files = core_files()
    found = digests(files)
    problems = shadow_problems(files.listing())
    return '; '.join(problems) or combined_digest(found)


def settings_digest(task: Task, cameras: Mapping[str, Camera]) -> str:
    """Return the sha256 over a task's code and settings and its calibrated cameras."""
    content = {
        'task': task.digest(),
        'cameras': {
            name: {field.name: _plain(getattr(camera, field.name)) for field in fields(Camera)}
            for name, camera in cameras.items()
        },
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _plain(value: object) -> object:
    return value.tolist() if isinstance(value, np.ndarray) else value
