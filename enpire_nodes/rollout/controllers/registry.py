"""Which controllers there are, and what exactly one of them is: its digest.

Built-in controllers are known without installation; a lab's own come through the entry-point
group ``enpire.controllers`` (``name = package.module:Class``).
"""

from __future__ import annotations

from collections.abc import Mapping
import hashlib
from importlib import import_module
from importlib.metadata import entry_points
import json
from pathlib import Path
import sys
from typing import Any

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.controllers.settings import as_dict, build

GROUP = 'enpire.controllers'

_BUILT_IN = {
    'demonstrator': 'enpire_nodes.rollout.controllers.demonstrator:Demonstrator',
    'hold': 'enpire_nodes.rollout.controllers.hold:Hold',
    'learned': 'enpire_nodes.rollout.controllers.learned:Learned',
    'replay': 'enpire_nodes.rollout.controllers.replay:Replay',
    'scripted': 'enpire_nodes.rollout.controllers.scripted:Scripted',
    'spiral_search': 'enpire_nodes.rollout.controllers.spiral_search:SpiralSearch',
    'teleop': 'enpire_nodes.rollout.controllers.teleop:Teleop',
}


def names() -> tuple[str, ...]:
    """List the names of all controllers, sorted."""
    return tuple(sorted(_targets()))


def controller_class(name: str) -> Any:
    """Import the class of a controller.

    :raises StationError: POLICY_UNKNOWN_CONTROLLER, naming the known ones, or POLICY_BAD_PARAMETER
        when it is known and cannot be imported.
    """
    target = _targets().get(name)
    if target is None:
        raise StationError(
            ErrorCode.POLICY_UNKNOWN_CONTROLLER,
            f'no controller is called {name!r}; there are {", ".join(names())}',
        )
    module, _, attribute = target.partition(':')
    try:
        return getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise StationError(
            ErrorCode.POLICY_BAD_PARAMETER,
            f'controller {name!r} ({target}) cannot be imported: {error}',
        ) from error


def make(name: str, values: Mapping[str, Any] | None = None) -> Any:
    """Make a controller in this process, as the policy worker, a bench or a test does.

    :param values: settings that differ from their defaults.
    """
    kind = controller_class(name)
    return kind(build(kind.Settings, values or {}))


def pinned(name: str, values: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the settings with everything followed that may be exchanged: links to files.

    What is loaded later is then what was found now. A controller for which that matters has a
    static method ``pin(values) -> values``.
    """
    pin = getattr(controller_class(name), 'pin', None)
    return pin(dict(values or {})) if pin else dict(values or {})


def reads(name: str, values: Mapping[str, Any] | None = None) -> list[Path]:
    """List the files and folders that a controller must be able to read, wherever it runs.

    They are those that its digest covers, unless it lists them in a static method
    ``reads(settings)``.

    :raises StationError: POLICY_BAD_PARAMETER, when one is not there.
    """
    kind = controller_class(name)
    listed = getattr(kind, 'reads', None) or getattr(kind, 'files', None)
    return list(listed(build(kind.Settings, values or {}))) if listed else []


def digest(name: str, values: Mapping[str, Any] | None = None) -> str:
    """Return the sha256 over a controller's name, code, settings and the files that those name.

    A controller whose behaviour depends on files (a policy, a checkpoint, a bag) lists them in a
    static method ``files(settings)``.
    """
    kind = controller_class(name)
    settings = build(kind.Settings, values or {})
    total = hashlib.sha256()
    _feed(total, 'name', name.encode())
    for path in _sources(kind):
        _feed(total, path.name, path.read_bytes())
    _feed(total, 'settings', json.dumps(as_dict(settings), sort_keys=True).encode())
    listed = getattr(kind, 'files', None)
    for path in listed(settings) if listed else ():
        _feed(total, path.name, path.read_bytes())
    return total.hexdigest()


def _targets() -> dict[str, str]:
    installed = {entry.name: entry.value for entry in entry_points(group=GROUP)}
    return {**_BUILT_IN, **installed}


def _sources(kind: type) -> list[Path]:
    """List a class's file, and those of its package that it takes names from, directly or not."""
    package = kind.__module__.rpartition('.')[0]
    waiting, found = [kind.__module__], {}
    while waiting:
        name = waiting.pop()
        module = sys.modules.get(name)
        if name in found or module is None or not getattr(module, '__file__', None):
            continue
        found[name] = Path(module.__file__)
        origins = (getattr(value, '__module__', None) for value in vars(module).values())
        waiting += [o for o in origins if isinstance(o, str) and o.rpartition('.')[0] == package]
    return [found[name] for name in sorted(found)]


def _feed(total: Any, label: str, content: bytes) -> None:
    """Hash length-prefixed, so that no two different sequences of parts look alike."""
    for part in (label.encode(), content):
        total.update(len(part).to_bytes(8, 'little'))
        total.update(part)
