"""Lines in Git notes: appended, and read all at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from enpire_nodes.evolution.hub.git import git
from enpire_nodes.evolution.hub.trees import blobs

_MOST = 256 * 2**20  # bytes of all notes of a hub


def append(repository: Path, ref: str, commit: str, line: str) -> None:
    """Put a line below those that a commit has; the caller holds the hub.

    :raises StationError: HUB_GIT_FAILED.
    """
    before = git(repository, 'notes', f'--ref={ref}', 'list', commit, accept=(0, 1)).text
    known = blobs(repository, [before], most=_MOST)[before] if before else b''
    content = known + (b'' if not known or known.endswith(b'\n') else b'\n')
    blob = git(
        repository, 'hash-object', '-w', '--stdin', content=content + line.encode() + b'\n'
    ).text
    git(repository, 'notes', f'--ref={ref}', 'add', '--force', '-C', blob, commit)


def read(repository: Path, prefix: str) -> Iterator[tuple[str, str, list[str]]]:
    """Yield (ref, commit, lines) of all notes in the refs that begin with ``prefix``.

    :raises StationError: HUB_GIT_FAILED.
    """
    listed = git(repository, 'for-each-ref', '--format=%(refname)', f'{prefix}*').text
    for ref in listed.split():
        pairs = [
            line.split()
            for line in git(repository, 'notes', f'--ref={ref}', 'list').text.splitlines()
        ]
        contents = blobs(repository, [blob for blob, _ in pairs], most=_MOST)
        for blob, commit in pairs:
            text = contents[blob].decode('utf-8', 'replace')
            yield ref, commit, [line for line in text.split('\n') if line.strip()]
