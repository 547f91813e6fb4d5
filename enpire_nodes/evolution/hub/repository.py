"""A station's handle on its hub."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
import re
from typing import Any, TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.evolution.hub import claims, creation, export, ideas, promotion, results
from enpire_nodes.evolution.hub.git import clean_environment
from enpire_nodes.evolution.hub.inspection import Inspection
from enpire_nodes.evolution.hub.maintenance import Sweeper
from enpire_nodes.evolution.hub.names import MAIN, STATIONS
from enpire_nodes.evolution.records import IdeaRecord, Promotion

if TYPE_CHECKING:
    from git import Repo

#: What may name a commit: nothing that Git takes for an option, an expression or a path.
_NAME = re.compile(r'[0-9A-Za-z][0-9A-Za-z_/-]{0,200}')


class Hub:
    """A bare repository; every call reads it anew, so that it may be kept and shared by threads.

    It remembers nothing but since when it has seen a lock.

    :param path: of a hub that is there.
    :raises StationError: HUB_UNUSABLE, there is none.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path).absolute()
        if not (self.path / 'HEAD').is_file() or not (self.path / 'objects').is_dir():
            raise StationError(
                ErrorCode.HUB_UNUSABLE,
                f'{self.path} is no hub; make one with `enpire hub init {path}`',
            )
        self._sweeper = Sweeper(self.path)

    @classmethod
    def create(cls, path: Path, *, seed: Path) -> Hub:
        """Make a hub whose ``main`` is one commit of the files in a folder.

        :raises StationError: as of :func:`~enpire_nodes.evolution.hub.creation.create`.
        """
        creation.create(Path(path), Path(seed))
        return cls(path)

    def prepare(self) -> None:
        """Put settings and hook in order, and wait until no lock of a killed process is left.

        :raises StationError: HUB_UNUSABLE, HUB_GIT_FAILED.
        """
        self._sweeper.settle()
        creation.prepare(self.path)

    def sweep(self) -> list[Path]:
        """Remove locks and pushes that nobody has gone on with for long; return them."""
        return self._sweeper.sweep()

    @property
    def main(self) -> str:
        """The hash of the confirmed recipe."""
        return self.resolve(MAIN)

    def resolve(self, commit: str) -> str:
        """Return the full hash of a commit, a shortened hash or a branch.

        :raises StationError: HUB_COMMIT_UNKNOWN.
        """
        with self._reading(commit) as repository:
            return repository.commit(commit).hexsha

    def subject(self, commit: str) -> str:
        """Return the first line of a commit's message: the hypothesis.

        :raises StationError: HUB_COMMIT_UNKNOWN.
        """
        with self._reading(commit) as repository:
            return str(repository.commit(commit).summary)

    def branches(self) -> dict[str, str]:
        """Return the commit of each branch of a station, by its name without ``station/``."""
        with self._reading(MAIN) as repository:
            return {
                head.path.removeprefix(STATIONS): head.commit.hexsha
                for head in repository.heads
                if head.path.startswith(STATIONS)
            }

    def ideas(self, station: str | None = None) -> list[IdeaRecord]:
        """Return every commit beyond the first; parents first, then the oldest first."""
        return ideas.ideas(self.path, station)

    def export(self, commit: str, folder: Path) -> None:
        """Write a commit's files, plain and read-only; whole or not at all.

        :raises StationError: HUB_COMMIT_UNKNOWN, HUB_UNUSABLE, HUB_GIT_FAILED.
        """
        limits = Inspection.of(self.path).limits
        export.export(self.path, self.resolve(commit), Path(folder), limits)

    def add_result(
        self, station: str, commit: str, result: Mapping[str, Any], key: Ed25519PrivateKey
    ) -> dict[str, Any]:
        """Sign a result of a commit, note it, and return what was written."""
        return results.add_result(self.path, station, self.resolve(commit), result, key)

    def results(
        self, station: str | None = None, trusted: Path | None = None
    ) -> list[results.SignedLine]:
        """Return results; each says whether it is ``verified``, and its ``problem`` if not."""
        return results.results(self.path, station, trusted)

    def claim(self, idea_key: str, station: str, *, for_seconds: float) -> bool:
        """Take or prolong a claim; return whether it is this station's now."""
        return claims.claim(self.path, idea_key, station, for_seconds=for_seconds)

    def release(self, idea_key: str, station: str) -> bool:
        """Give a claim back; return whether it was this station's."""
        return claims.release(self.path, idea_key, station)

    def claims(self) -> list[claims.Claim]:
        """Return the claims that hold."""
        return claims.claims(self.path)

    def promote(self, confirmed: Promotion, *, key: Ed25519PrivateKey) -> None:
        """Move ``main`` to a confirmed commit, with a signed record of why."""
        self.resolve(confirmed.commit)
        promotion.promote(self.path, confirmed, key)

    def promotions(self, trusted: Path | None = None) -> list[results.SignedLine]:
        """Return the records of how ``main`` moved, in the order of their time."""
        return promotion.promotions(self.path, trusted)

    @contextmanager
    def _reading(self, name: str) -> Iterator[Repo]:
        from git import Repo  # slow to import, and the hook needs none of it
        from git.exc import GitCommandError, InvalidGitRepositoryError, NoSuchPathError, ODBError

        unknown = StationError(
            ErrorCode.HUB_COMMIT_UNKNOWN, f'the hub has no commit {name[:80]!r}; push it first'
        )
        if not _NAME.fullmatch(name):
            raise unknown
        try:
            with Repo(self.path) as repository:
                repository.git.update_environment(**clean_environment())
                yield repository
        except (ValueError, ODBError, GitCommandError) as error:
            raise unknown from error
        except (InvalidGitRepositoryError, NoSuchPathError) as error:
            raise StationError(
                ErrorCode.HUB_UNUSABLE, f'{self.path} cannot be read as a hub: {error}'
            ) from error
