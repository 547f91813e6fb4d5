"""The clone of the hub: commits are made without a work tree, one branch of the hub an idea.

So the clone's own files are never half edited, whenever the researcher is killed; and ideas that
are made from the same parent are siblings, as they are in the tree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
import os
from pathlib import Path
import re
import subprocess
import tempfile

from enpire_nodes.common.errors import ErrorCode, StationError

_DEADLINE = 60.0  # s
_END = '\x1e'


@dataclass(frozen=True, slots=True)
class Commit:
    """An idea as Git has it.

    :param idea: its name in the catalogue, of the trailer ``Idea``.
    :param parent: commit that it was made from.
    :param borrowed: commits that it borrows from.
    :param own: whether this station made it.
    """

    commit: str
    idea: str
    parent: str
    subject: str
    borrowed: tuple[str, ...] = ()
    own: bool = True


class Repository:
    """A clone, used by the ``git`` command alone.

    :param station: whose branches the ideas are pushed to.
    """

    def __init__(self, path: Path, station: str) -> None:
        self.path, self._station = path, station.strip('/')

    def fetch(self) -> None:
        """Learn what the hub has."""
        self._git('fetch', '--quiet', '--no-tags', 'origin', '+refs/heads/*:refs/remotes/origin/*')

    @property
    def main(self) -> str:
        """Commit of the confirmed recipe."""
        return self._git('rev-parse', '--verify', 'refs/remotes/origin/main')

    def ideas(self) -> list[Commit]:
        """Return all ideas of all stations that the hub has, oldest first."""
        fields = ['%H', '%P', '%an', '%s']
        fields += [f'%(trailers:key={key},valueonly,separator=%x20)' for key in _TRAILERS]
        text = self._git(
            'log', '--reverse', '--date-order', '--remotes=origin',
            f'--format={"%x1f".join(fields)}%x1e',
            strip=False,  # the separators count as white space
        )  # fmt: skip
        found = []
        for entry in text.split(_END):
            parts = entry.strip('\n').split('\x1f')
            if len(parts) != len(fields) or not parts[4]:
                continue
            commit, parents, author, subject, idea, parent, borrowed = parts
            named = parent.split()[:1] or parents.split()[:1] or ['']
            hashes = tuple(re.findall(r'\b[0-9a-f]{40}\b', borrowed))
            own = author == self._station
            found.append(Commit(commit, idea, named[0], subject, hashes, own))
        return found

    def files(self, commit: str) -> dict[str, str]:
        """Return the text files of a commit by their paths."""
        names = self._git('ls-tree', '-r', '-z', '--name-only', commit).split('\0')
        return {
            name: self._git('cat-file', 'blob', f'{commit}:{name}', strip=False)
            for name in names
            if name.endswith(('.py', '.yaml', '.md'))
        }

    def commit(self, parent: str, changed: Mapping[str, str], message: str) -> str:
        """Make a commit of changed files on a parent; return its hash."""
        history = self._git('rev-parse', '--verify', '--quiet', self._own, accept=(0, 1)) or parent
        with tempfile.TemporaryDirectory() as folder:
            index = {'GIT_INDEX_FILE': f'{folder}/index'}
            self._git('read-tree', parent, more=index)
            for path, text in changed.items():
                blob = self._git('hash-object', '-w', '--stdin', given=text)
                self._git(
                    'update-index', '--add', '--cacheinfo', f'100644,{blob},{path}', more=index
                )
            tree = self._git('write-tree', more=index)
        return self._git('commit-tree', tree, '-p', history, '-F', '-', given=message)

    def push(self, commit: str, name: str) -> None:
        """Bring a commit to the hub, on a branch of its own below the station's.

        If the station has a single branch already, which Git cannot have beside branches below
        it, the commit goes there: :meth:`commit` made it a descendant of what is there.
        """
        if self._git('rev-parse', '--verify', '--quiet', self._own, accept=(0, 1)):
            branch = f'refs/heads/station/{self._station}'
        else:
            slug = re.sub(r'[^a-z0-9]+', '-', name.lower()).strip('-')[:40]
            branch = f'refs/heads/station/{self._station}/{slug}-{commit[:8]}'
        self._git('push', '--quiet', 'origin', f'{commit}:{branch}')
        self.fetch()

    @property
    def _own(self) -> str:
        return f'refs/remotes/origin/station/{self._station}'

    def _git(
        self,
        *arguments: str,
        given: str | None = None,
        more: Mapping[str, str] = {},
        accept: tuple[int, ...] = (0,),
        strip: bool = True,
    ) -> str:
        named = {
            f'GIT_{who}_{what}': value
            for who in ('AUTHOR', 'COMMITTER')
            for what, value in (('NAME', self._station), ('EMAIL', f'{self._station}@localhost'))
        }
        try:
            done = subprocess.run(
                ['git', '-C', str(self.path), *arguments],
                input=given, capture_output=True, encoding='utf-8', timeout=_DEADLINE,
                env={**os.environ, **named, **more},
            )  # fmt: skip
        except (OSError, subprocess.SubprocessError, UnicodeError) as error:
            raise StationError(ErrorCode.HUB_GIT_FAILED, f'git {arguments[0]}: {error}') from error
        if done.returncode not in accept:
            raise StationError(
                ErrorCode.HUB_GIT_FAILED, f'git {arguments[0]}: {done.stderr.strip()[-400:]}'
            )
        return done.stdout.strip() if strip else done.stdout


_TRAILERS = ('Idea', 'Parent', 'Borrowed-From')
