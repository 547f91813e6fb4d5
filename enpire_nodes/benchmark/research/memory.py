"""A repository in memory, where thousands of simulated campaigns need no Git."""

from __future__ import annotations

from collections.abc import Mapping
import hashlib

from enpire_nodes.evolution.researcher.repository import Commit


class MemoryRepository:
    """Keeps commits like :class:`~enpire_nodes.evolution.researcher.repository.Repository`.

    :param files: of the start, by their paths.
    """

    def __init__(self, files: Mapping[str, str]) -> None:
        self.main = hashlib.sha1(b'start').hexdigest()
        self._files = {self.main: dict(files)}
        self._commits: list[Commit] = []

    def fetch(self) -> None:
        """Do nothing: there is no other side."""

    def ideas(self) -> list[Commit]:
        """Return all commits but the first."""
        return list(self._commits)

    def files(self, commit: str) -> dict[str, str]:
        """Return the files of a commit."""
        return dict(self._files[commit])

    def commit(self, parent: str, changed: Mapping[str, str], message: str) -> str:
        """Keep a commit."""
        subject, *_ = message.splitlines()
        trailers = dict(line.split(': ', 1) for line in message.splitlines() if ': ' in line)
        made = hashlib.sha1(f'{len(self._commits)} {message}'.encode()).hexdigest()
        self._files[made] = {**self._files[parent], **changed}
        self._commits.append(Commit(made, trailers.get('Idea', ''), parent, subject))
        return made

    def push(self, commit: str, name: str) -> None:
        """Do nothing."""

    def lineage(self, commit: str) -> list[str]:
        """Return the names of the ideas that a commit is made of, oldest first."""
        known = {made.commit: made for made in self._commits}
        names: list[str] = []
        while commit in known:
            names.insert(0, known[commit].idea)
            commit = known[commit].parent
        return names
