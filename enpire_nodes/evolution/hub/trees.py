"""The files of a commit, read without writing any of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.evolution.hub.git import git

PLAIN, EXECUTABLE, LINK, SUBMODULE = '100644', '100755', '120000', '160000'
_LINE = 400  # bytes of a line of the listing, more than its longest allowed path takes


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a tree.

    :param blob: hash of its content.
    :param size: bytes; 0 for what is no file.
    """

    path: str
    mode: str
    blob: str
    size: int


def listing(
    repository: Path,
    commit: str,
    *,
    files: int,
    deadline: float = 30.0,
    environment: Mapping[str, str] | None = None,
) -> list[Entry]:
    """Return all files of a commit.

    A tree of trees that all are one can stand for more files than a disk has: the listing ends
    there instead of reading it.

    :param files: most that there may reasonably be.
    :raises TooMuchError: there are more.
    :raises StationError: HUB_GIT_FAILED, there is no such commit.
    """
    answer = git(
        repository, 'ls-tree', '-r', '-z', '-l', '--full-tree', commit,
        most=files * _LINE, deadline=deadline, environment=environment,
    )  # fmt: skip
    return [_entry(line) for line in answer.output.split(b'\0') if line]


def blobs(repository: Path, names: list[str], *, most: int) -> dict[str, bytes]:
    """Return the contents of blobs.

    :param most: bytes of all of them together.
    :raises StationError: HUB_GIT_FAILED, one is missing, or they are more.
    """
    asked = '\n'.join(dict.fromkeys(names)).encode()
    if not asked:
        return {}
    output = git(
        repository, 'cat-file', '--batch', content=asked + b'\n', most=most + 100 * len(names)
    ).output
    found, at = {}, 0
    while at < len(output):
        end = output.index(b'\n', at)
        header = output[at:end].decode().split()
        if len(header) != 3:
            raise _missing(repository, header)
        size = int(header[2])
        found[header[0]] = output[end + 1 : end + 1 + size]
        at = end + size + 2
    return found


def _missing(repository: Path, header: list[str]) -> StationError:
    return StationError(
        ErrorCode.HUB_GIT_FAILED,
        f'{repository} lacks the object {" ".join(header)}; look with `git fsck`',
    )


def _entry(line: bytes) -> Entry:
    about, path = line.split(b'\t', 1)
    mode, _, blob, size = about.decode().split()
    return Entry(
        path.decode('utf-8', 'surrogateescape'), mode, blob, 0 if size == '-' else int(size)
    )
