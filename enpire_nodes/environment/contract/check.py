"""Whether the files of an environment are still the frozen ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
import os
from pathlib import Path

from enpire_nodes.common.errors import StationError
from enpire_nodes.environment.contract.caches import cache_of, cache_problem, file_hash
from enpire_nodes.environment.contract.files import file_digest, FrozenFiles

#: What tells a file from one that was put in its place: ``ctime`` is the kernel's alone, so that
#: a file whose size and ``mtime`` were restored after a change differs all the same.
Signature = tuple[int, ...]


class FileWatch:
    """Compares the files of an environment with what a manifest says of them.

    :param expected: sha256 by name.
    :param files: where they lie on this machine.
    """

    def __init__(self, expected: Mapping[str, str], files: FrozenFiles) -> None:
        self._expected, self._files = dict(expected), files
        self._known: dict[str, Signature] = {}
        #: Caches that were compared once: compiling every file again would take half a second.
        self._honest: dict[str, tuple] = {}

    def full(self) -> list[str]:
        """Read every file again; return what differs, in words that begin with its name."""
        self._known.clear()
        return self.quick()

    def quick(self) -> list[str]:
        """Read the files whose size, times or place on the disk have changed since last time."""
        found = self._files.listing()
        wrong = [
            f'{name} is missing: it was frozen, and is not at {self._place(name)}'
            for name in self._expected
            if name not in found
        ]
        wrong += [
            f'{name} was added: {path} was not there when the environment was frozen'
            for name, path in found.items()
            if name not in self._expected
        ]
        for name, path in found.items():
            if name in self._expected:
                wrong += self._differences(name, path)
        return sorted(wrong)

    def _differences(self, name: str, path: Path) -> Iterator[str]:
        before = _signature(path)
        if before is None or self._known.get(name) != before:
            self._known.pop(name, None)
            try:
                digest = file_digest(path)
            except StationError as error:
                yield f'{name} {error.message}: {path}'
                return
            if digest != self._expected[name]:
                yield f'{name} was changed: {path} is not as it was frozen'
                return
            # a file that is written while it is read keeps its old signature, and is read again
            if before is not None and before == _signature(path):
                self._known[name] = before
        if path.suffix == '.py':
            yield from self._cache_differences(name, path)

    def _cache_differences(self, name: str, path: Path) -> Iterator[str]:
        cache, key = cache_of(path), f'{name} (compiled)'
        signature = _signature(cache)
        if signature is None:
            return
        # whether Python takes a cache depends on the times of its source, too
        both = signature + (_signature(path) or ())
        if self._known.get(key) == both:
            return
        self._known.pop(key, None)
        state = (*both, file_hash(cache))
        problem = '' if self._honest.get(key) == state else cache_problem(path, cache)
        if problem:
            yield f'{name} would not run as it reads: {problem}'
        else:
            self._known[key], self._honest[key] = both, state

    def _place(self, name: str) -> Path | str:
        if name in self._files.single:
            return self._files.single[name]
        for prefix, folder in self._files.folders.items():
            if name.startswith(f'{prefix}/'):
                return folder.path / name[len(prefix) + 1 :]
        return 'any place that this station knows; does its configuration name it?'


def _signature(path: Path) -> Signature | None:
    try:
        status = os.lstat(path)
    except OSError:
        return None
    return (
        status.st_dev,
        status.st_ino,
        status.st_mode,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
    )
