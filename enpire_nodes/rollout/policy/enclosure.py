"""The sandbox of the policy's process: what it is started with, and what it may see there.

It sees the policy's folder and the weights, and what other controllers name as theirs; it may
change nothing but a ``/tmp`` of its own, and has no network, no run, no key and no other process.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
import os
from pathlib import Path
import sys
from typing import Any

import enpire_nodes
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.controllers import registry
from enpire_nodes.sandbox.bubblewrap import availability, command
from enpire_nodes.sandbox.profile import graphics_devices, PRIVATE, Profile

#: Use bubblewrap where it works, refuse to run a policy without it, or do not use it.
AUTO, REQUIRED, OFF = CHOICES = ('auto', 'required', 'off')
WALL = 'bubblewrap'
#: what a policy inherits of the environment: neither the way to the middleware, nor any key
_INHERITED = ('LANG', 'LD_LIBRARY_PATH', 'TZ')
_INHERITED_PREFIXES = ('CUDA_', 'LC_', 'MKL_', 'NVIDIA_', 'OMP_', 'TORCH')
#: and where it shares the machine's files
_INHERITED_OUTSIDE = ('HOME', 'PATH', 'PYTHONPATH', 'TMPDIR')
_INHERITED_PREFIXES_OUTSIDE = ('COVERAGE_',)


@dataclass(frozen=True, slots=True)
class Start:
    """How a process is started: its command, all of its environment, the walls that it gets."""

    command: list[str]
    environment: dict[str, str]
    walls: tuple[str, ...] = ()


def plan(
    mode: str, argv: Sequence[str], controller: str, settings: Mapping[str, Any], endpoint: int
) -> Start:
    """Decide how the process of a controller is started.

    :param mode: one of :data:`CHOICES`.
    :param argv: the worker's program; the descriptor and the starter's process id are added.
    :param endpoint: descriptor of its end of the channel.
    :raises StationError: POLICY_WORKER_FAILED when a sandbox is required and there is none,
        POLICY_BAD_PARAMETER when the controller's files are missing or lie where none can be
        shown without showing more.
    """
    found = availability() if mode != OFF else None
    if found is not None and found.usable:
        # in there, the end of the starter is the end of all: it needs no id to watch
        return _enclosed([*argv, str(endpoint), '0'], controller, settings)
    if mode == REQUIRED:
        raise StationError(
            ErrorCode.POLICY_WORKER_FAILED,
            f'the policy must run in a sandbox, and {found.reason}; or set the parameter sandbox '
            'to auto if you trust the policy',
        )
    return Start([*argv, str(endpoint), str(os.getpid())], _outside())


def _enclosed(argv: Sequence[str], controller: str, settings: Mapping[str, Any]) -> Start:
    profile = Profile(
        workdir=PRIVATE,
        readable=(*registry.reads(controller, settings), *_import_folders(controller)),
        environment=_inside(controller),
        devices=graphics_devices(),
    )
    try:
        return Start(command(profile, argv), {}, (WALL,))
    except StationError as error:
        raise StationError(
            ErrorCode.POLICY_BAD_PARAMETER, f'controller {controller!r}: {error.message}'
        ) from error


def _inside(controller: str) -> dict[str, str]:
    roots = [Path(enpire_nodes.__file__).parents[1], *_import_folders(controller)]
    return {
        **_kept(_INHERITED, _INHERITED_PREFIXES),
        'PYTHONPATH': os.pathsep.join(str(root) for root in roots),
    }


def _outside() -> dict[str, str]:
    kept = _kept(
        (*_INHERITED, *_INHERITED_OUTSIDE), (*_INHERITED_PREFIXES, *_INHERITED_PREFIXES_OUTSIDE)
    )
    root = str(Path(enpire_nodes.__file__).parents[1])
    kept['PYTHONPATH'] = os.pathsep.join(filter(None, [root, kept.get('PYTHONPATH')]))
    kept['PYTHONUNBUFFERED'] = '1'
    return kept


def _kept(names: Sequence[str], prefixes: tuple[str, ...]) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in names or name.startswith(prefixes)
    }
    # one thread a process: the control period is short and the station's cores are few
    return {'OMP_NUM_THREADS': '1', **kept}


def _import_folders(controller: str) -> tuple[Path, ...]:
    """List the folder that a lab's own controller is imported from, if it is none of ours."""
    name = registry.controller_class(controller).__module__
    file = getattr(sys.modules.get(name), '__file__', None)
    if file is None or name.partition('.')[0] == 'enpire_nodes':
        return ()
    levels = name.count('.') + (Path(file).name == '__init__.py')
    return (Path(file).absolute().parents[levels],)
