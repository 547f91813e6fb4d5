"""The agent's clone, as the command ``enpire`` sees it: its commit, its weights, its pushes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
import subprocess

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.recipe_file import needs_weights

_DEADLINE = 60.0  # s
_MOST = 64 * 2**20  # bytes that the station takes
#: What is looked at: all but what no commit shall hold.
_OURS = ('.', ':(exclude).enpire', ':(exclude,glob)**/__pycache__/**')
_CURRENT = Path('.enpire/checkpoints/current.safetensors')


@dataclass(frozen=True, slots=True)
class Clone:
    """The Git repository at ``path``, whose remote ``origin`` is the hub."""

    path: Path

    @classmethod
    def find(cls, place: Path) -> Clone:
        """Return the repository that a folder is in.

        :raises StationError: SUPERVISOR_BAD_REQUEST, it is in none.
        """
        try:
            return cls(Path(_git(place, 'rev-parse', '--show-toplevel')))
        except StationError as error:
            raise _refused(
                f'{place} is in no clone of the hub ({error.message}); work in the folder that '
                'has PROGRAM.md'
            ) from error

    def head(self) -> str:
        """Return the commit that is checked out."""
        return _git(self.path, 'rev-parse', 'HEAD')

    def subject(self) -> str:
        """Return its first line."""
        return _git(self.path, 'log', '-1', '--format=%s')

    def commit(self, name: str) -> str:
        """Return the full hash of what may be a branch of the hub or a short hash.

        :raises StationError: SUPERVISOR_BAD_REQUEST, there is no such commit.
        """
        _git(self.path, 'fetch', '--quiet', 'origin')
        for guess in (f'origin/{name}', name):
            try:
                return _git(self.path, 'rev-parse', '--verify', '--quiet', f'{guess}^{{commit}}')
            except StationError:
                continue  # not under that name
        raise _refused(f'there is no commit {name!r} here; `enpire history` lists them')

    def clean(self) -> None:
        """Make sure that the commit is all of the code.

        :raises StationError: SUPERVISOR_BAD_REQUEST, naming files that are not in it.
        """
        changed = _git(
            self.path, 'status', '--porcelain', '--untracked-files=normal', '--', *_OURS
        )
        if not changed:
            return
        lines = changed.splitlines()
        names = ', '.join(line[2:].strip() for line in lines[:5])
        more = f' and {len(lines) - 5} more' if len(lines) > 5 else ''
        raise _refused(
            f'not in your commit: {names}{more}. The station runs commits: `git add` and '
            '`git commit` them (the subject is your hypothesis), or put them away'
        )

    def push(self, station: str) -> None:
        """Give the commit to the hub, on the branch of this station.

        :raises StationError: HUB_PUSH_REFUSED, with what the hub says.
        """
        branch = f'refs/heads/station/{station.strip("/")}'
        try:
            _git(self.path, 'push', '--quiet', 'origin', f'HEAD:{branch}')
        except StationError as error:
            raise StationError(
                ErrorCode.HUB_PUSH_REFUSED,
                f'the hub did not take your commit: {error.message}. It takes no change of a '
                'frozen file and no rewritten history: build on what you pushed before '
                f'(`git fetch && git merge origin/{branch.removeprefix("refs/heads/")}`)',
            ) from error

    def weights(self, given: Path | None) -> bytes:
        """Return the weights that go with the commit; empty when its recipe needs none.

        As on the station itself: the given ones, else the published ones of the workspace.

        :raises StationError: IMPROVEMENT_CHECKPOINT_UNUSABLE, IMPROVEMENT_RECIPE_INVALID,
            SUPERVISOR_BAD_REQUEST.
        """
        if given is None and not needs_weights(self.path / 'recipe.yaml'):
            return b''
        path = self.path / _CURRENT if given is None else given
        if not path.is_file():
            raise StationError(
                ErrorCode.IMPROVEMENT_CHECKPOINT_UNUSABLE,
                f'there are no weights {path}; run `enpire train`, or set `algorithm: search` in '
                'recipe.yaml to run the contact search, which needs none',
            )
        if path.stat().st_size > _MOST:
            raise _refused(f'{path} has more than {_MOST >> 20} MB')
        return path.read_bytes()


def _git(place: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ['git', '-C', str(place), *arguments],
            check=True, capture_output=True, text=True, timeout=_DEADLINE,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        words = getattr(error, 'stderr', '') or str(error)
        raise StationError(ErrorCode.HUB_GIT_FAILED, ' '.join(words.split())[:600]) from error
    return done.stdout.rstrip()


def _refused(words: str) -> StationError:
    return StationError(ErrorCode.SUPERVISOR_BAD_REQUEST, words)
