"""Finding tasks: installed ones by entry point, and those that ship."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path

from enpire_nodes.tasks.api import Task

GROUP = 'enpire.tasks'

#: Known even when the package runs from a source tree that nobody installed.
BUILT_IN = {'pin_insertion': 'enpire_nodes.tasks.pin_insertion.task:PinInsertion'}


def task_names() -> list[str]:
    """Return the names of all tasks that can be loaded."""
    return sorted({entry.name for entry in entry_points(group=GROUP)} | set(BUILT_IN))


def load_task(name: str, settings_file: Path | str | None = None) -> Task:
    """Make a task.

    :param name: as in the entry-point group ``enpire.tasks``.
    :param settings_file: YAML; None takes the task's defaults.
    :raises KeyError: there is no such task; the message lists those that exist.
    :raises SettingsError: the settings file is bad.
    """
    for entry in entry_points(group=GROUP):
        if entry.name == name:
            return entry.load()(settings_file)
    if name in BUILT_IN:
        module, attribute = BUILT_IN[name].split(':')
        return getattr(import_module(module), attribute)(settings_file)
    raise KeyError(f'no task {name!r}; installed: {", ".join(task_names())}')
