"""The files that the ``main`` of a new hub begins with."""

from __future__ import annotations

from pathlib import Path

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.writing import write_json
from enpire_nodes.evolution.hub.rules import ALWAYS_FROZEN, FROZEN_FILE
from enpire_nodes.improvement.workspace import write_template

_FROZEN = '# What no station may change, one path a line; the hub refuses commits that do.\n'


def seed_files(folder: Path, task: str) -> None:
    """Write a workspace's files for a task, and what of them is frozen.

    :param folder: is made if it is not there.
    :raises StationError: HUB_UNUSABLE, they cannot be written.
    """
    try:
        write_template(folder, task=task, station='the station of your branch')
        write_json(folder / 'environment.json', {'task': task})
        listed = ''.join(f'{name}\n' for name in ALWAYS_FROZEN)
        (folder / FROZEN_FILE).write_text(_FROZEN + listed, 'utf-8')
    except OSError as error:
        raise StationError(
            ErrorCode.HUB_UNUSABLE, f'the files of a hub cannot be written to {folder}: {error}'
        ) from error
