"""Which files an environment consists of, and what each of them is called in a manifest.

Names are the same on every machine: ``enpire_nodes/environment/judging.py`` for code,
``settings/<what>`` for files that a station's configuration names. Where the code lies is asked of
the modules that run, never of a path that somebody configured.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
import hashlib
import importlib
import os
from pathlib import Path
import stat

import enpire_nodes
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.tasks.api import Task

#: Folders of ``enpire_nodes`` that decide what is measured: the judge, the reset, the gate, the
#: runner with its ledger and its statistics, the nodes' transport, and the simulated world.
CODE_FOLDERS = ('bringup', 'common', 'drivers', 'environment', 'rollout', 'ros', 'simulation')
#: Chosen trial by trial, and recorded with each by its own digest.
NOT_FROZEN = ('rollout/controllers',)
#: How the names of frozen files begin on which an acceptance report does not depend: what carries
#: and counts verdicts, and the gate with its limits, which play no part in judging.
NOT_MEASURED = (
    *(
        f'enpire_nodes/{name}/'
        for name in ('bringup', 'rollout', 'ros', 'environment/safety', 'environment/contract')
    ),
    'settings/limits',
)

_CACHE = '__pycache__'


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder all of whose files are frozen, so that an added one is noticed.

    :param deep: with everything below it.
    :param without: folders below it, relative to it, that are left out.
    """

    path: Path
    deep: bool = True
    without: tuple[str, ...] = ()

    def entries(self) -> dict[str, Path]:
        """Return the files by their path relative to the folder; links are not followed.

        Compiled caches are looked at elsewhere. Names that begin with a dot cannot be imported:
        they are what editors leave.
        """
        found: dict[str, Path] = {}
        for where, folders, files in os.walk(self.path):
            inside = os.path.relpath(where, self.path).replace(os.sep, '/')
            prefix = '' if inside == '.' else f'{inside}/'
            links = [name for name in folders if os.path.islink(os.path.join(where, name))]
            for name in (*files, *links):
                if not name.startswith('.') and name != _CACHE:
                    found[f'{prefix}{name}'] = Path(where, name)
            folders[:] = [
                name
                for name in folders
                if self.deep
                and name not in links
                and name != _CACHE
                and not name.startswith('.')
                and f'{prefix}{name}' not in self.without
            ]
        return found


@dataclass(frozen=True, slots=True)
class FrozenFiles:
    """Where the files of an environment lie on this machine.

    :param folders: by the prefix of the names of their files.
    :param single: by name.
    """

    folders: Mapping[str, Folder] = field(default_factory=dict)
    single: Mapping[str, Path] = field(default_factory=dict)

    def listing(self) -> dict[str, Path]:
        """Return every file that is there now, by name."""
        found = {
            f'{prefix}/{name}': path
            for prefix, folder in self.folders.items()
            for name, path in folder.entries().items()
        }
        return {**found, **self.single}


def core_files() -> FrozenFiles:
    """Return the code of the package that every station runs, whatever its task."""
    root = Path(enpire_nodes.__file__).resolve().parent
    folders: dict[str, Folder] = {}
    for name in CODE_FOLDERS:
        inside = [path.partition('/') for path in NOT_FROZEN]
        without = tuple(rest for folder, _, rest in inside if folder == name)
        folders[f'enpire_nodes/{name}'] = Folder(root / name, without=without)
    folders['enpire_nodes/tasks'] = Folder(root / 'tasks', deep=False)
    return FrozenFiles(folders, {'enpire_nodes/__init__.py': root / '__init__.py'})


def task_files(task: Task) -> FrozenFiles:
    """Return the code of a task: its whole package, or its one module."""
    module = importlib.import_module(type(task).__module__)
    path = Path(module.__file__).resolve()
    package = module.__package__ or ''
    if not package:
        return FrozenFiles(single={path.name: path})
    return FrozenFiles({package.replace('.', '/'): Folder(path.parent)})


def environment_files(task: Task, settings: Mapping[str, Path | None]) -> FrozenFiles:
    """Return everything that is frozen.

    :param settings: files that the station's configuration names, by what they are (``station``,
        ``limits``, ``task``, ``weights``); None where there is none.
    """
    core, own = core_files(), task_files(task)
    given = {f'settings/{what}': Path(path) for what, path in settings.items() if path}
    return FrozenFiles({**core.folders, **own.folders}, {**core.single, **own.single, **given})


def file_digest(path: Path) -> str:
    """Return the sha256 of a regular file; a link, and whatever else is no file, is refused.

    :raises StationError: ENVIRONMENT_CHANGED, in words that follow the file's name.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise StationError(ErrorCode.ENVIRONMENT_CHANGED, 'is missing') from error
    except OSError as error:
        link = path.is_symlink()
        words = 'is a symbolic link now' if link else f'cannot be read ({error.strerror})'
        raise StationError(ErrorCode.ENVIRONMENT_CHANGED, words) from error
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise StationError(ErrorCode.ENVIRONMENT_CHANGED, 'is no regular file any more')
        digest = hashlib.sha256()
        while block := os.read(descriptor, 1 << 20):
            digest.update(block)
        return digest.hexdigest()
    except OSError as error:
        raise StationError(
            ErrorCode.ENVIRONMENT_CHANGED, f'cannot be read ({error.strerror})'
        ) from error
    finally:
        os.close(descriptor)


def digests(files: FrozenFiles) -> dict[str, str]:
    """Return the sha256 of every file, by name.

    :raises StationError: ENVIRONMENT_CHANGED; names the file that is no readable regular one.
    """
    result = {}
    for name, path in sorted(files.listing().items()):
        try:
            result[name] = file_digest(path)
        except StationError as error:
            raise StationError(
                error.code, f'{path} {error.message}: only regular files can be frozen'
            ) from error
    return result


def combined_digest(entries: Mapping[str, str]) -> str:
    """Return the sha256 over names and digests of files."""
    lines = (f'{digest}  {name}\n' for name, digest in sorted(entries.items()))
    return hashlib.sha256(''.join(lines).encode()).hexdigest()
