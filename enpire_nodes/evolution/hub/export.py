"""A commit's files as plain, read-only files, which no agent had a hand on.

They are written from the blobs, byte for byte: neither attributes nor filters nor substitutions
have a say, as they would with a checkout or an archive.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
import secrets
import shutil

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.writing import sync_directory
from enpire_nodes.evolution.hub.git import TooMuchError
from enpire_nodes.evolution.hub.rules import Limits, path_fault
from enpire_nodes.evolution.hub.trees import blobs, Entry, EXECUTABLE, listing, PLAIN


def export(repository: Path, commit: str, folder: Path, limits: Limits) -> None:
    """Write the files of a commit, whole or not at all.

    :param folder: is made; when it holds these very files already, it stays as it is.
    :raises StationError: HUB_UNUSABLE, there is something else in the way, the commit has what is
        no plain file, or it cannot be written; HUB_GIT_FAILED.
    """
    folder = folder.absolute()
    try:
        entries = listing(repository, commit, files=limits.files)
    except TooMuchError as error:
        raise _unusable(commit, f'it has more than {limits.files} files') from error
    for entry in entries:
        _refuse_unsafe(commit, entry, limits)
    if sum(entry.size for entry in entries) > limits.tree:
        raise _unusable(commit, f'it has more than {limits.tree} bytes')
    fresh = folder.with_name(f'.{folder.name}.{secrets.token_hex(4)}')
    try:
        if folder.exists():
            _require_same(commit, entries, folder)
            return
        contents = blobs(repository, [entry.blob for entry in entries], most=limits.tree)
        fresh.mkdir(parents=True)
        for entry in entries:
            _write(fresh / entry.path, contents[entry.blob], entry)
        for inner in [*fresh.rglob('*'), fresh]:
            if inner.is_dir():
                inner.chmod(0o555)
        fresh.rename(folder)
        sync_directory(folder.parent)
    except OSError as error:
        raise _unusable(commit, f'{folder} cannot be written: {error}') from error
    finally:
        discard(fresh)


def discard(folder: Path) -> None:
    """Remove an export, which nobody may write to; nothing happens when there is none."""
    if not folder.exists():
        return
    for inner in [folder, *folder.rglob('*')]:
        if inner.is_dir() and not inner.is_symlink():
            inner.chmod(0o755)
    shutil.rmtree(folder)


def _write(path: Path, content: bytes, entry: Entry) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open('xb') as stream:  # never through something that is there
        stream.write(content)
    path.chmod(0o555 if entry.mode == EXECUTABLE else 0o444)


def _refuse_unsafe(commit: str, entry: Entry, limits: Limits) -> None:
    if entry.mode not in (PLAIN, EXECUTABLE):
        raise _unusable(commit, f'{entry.path!a} is no plain file (mode {entry.mode})')
    fault = path_fault(entry.path)
    if fault:
        raise _unusable(commit, f'{entry.path[:120]!a} is {fault}')
    if entry.size > limits.blob:
        raise _unusable(commit, f'{entry.path!a} has {entry.size} bytes')


def _require_same(commit: str, entries: list[Entry], folder: Path) -> None:
    found = {
        str(path.relative_to(folder)): path for path in folder.rglob('*') if not path.is_dir()
    }
    wanted = {entry.path: entry.blob for entry in entries}
    same = found.keys() == wanted.keys() and all(
        not path.is_symlink() and _blob(path.read_bytes()) == wanted[name]
        for name, path in found.items()
    )
    if not same:
        raise _unusable(commit, f'{folder} holds other files than its own; remove it')


def _blob(content: bytes) -> str:
    """Return the name that Git gives a content."""
    return hashlib.sha1(b'blob %d\0' % len(content) + content, usedforsecurity=False).hexdigest()


def _unusable(commit: str, reason: str) -> StationError:
    return StationError(
        ErrorCode.HUB_UNUSABLE, f'commit {commit[:10]} cannot be written out: {reason}'
    )
