"""Looking at what was sent: Git tells what it is, :mod:`~enpire_nodes.evolution.hub.rules` judges.

The hook looks at what is in quarantine, before any ref knows it; a synchronization looks at what
it fetched, before any branch does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from enpire_nodes.evolution.hub.git import git, TooMuchError
from enpire_nodes.evolution.hub.names import CLAIMS, MAIN
from enpire_nodes.evolution.hub.rules import (
    check_commit,
    check_ref,
    check_trailers,
    check_tree,
    FROZEN_FILE,
    frozen_paths,
    Limits,
    Update,
)
from enpire_nodes.evolution.hub.trees import Entry, listing

_HEADERS = 16_000  # bytes of a commit beside its message
_NOTE = 8_000_000  # bytes of all notes of one commit
_SHOWN = 12  # sentences about one push


@dataclass(slots=True)
class Inspection:
    """Checks updates of one hub.

    :param environment: of Git; None for a clean one.
    """

    repository: Path
    limits: Limits = field(default_factory=Limits)
    environment: Mapping[str, str] | None = None
    _main: list[Entry] = field(init=False, default_factory=list)
    _frozen: tuple[str, ...] = field(init=False, default=())
    _first: list[str] = field(init=False, default_factory=list)

    @classmethod
    def of(cls, repository: Path, environment: Mapping[str, str] | None = None) -> Inspection:
        """Return one with the limits that the hub's own configuration has."""
        limits = Limits()
        for name in ('blob', 'tree', 'files', 'message', 'commits'):
            asked = git(
                repository, 'config', '--local', '--type=int', '--get', f'enpire.{name}',
                accept=(0, 1), environment=environment,
            )  # fmt: skip
            if asked.code == 0:
                limits = replace(limits, **{name: int(asked.text)})
        return cls(repository, limits, environment)

    def check(self, update: Update, station: str) -> list[str]:
        """Return what is wrong with an update.

        :raises StationError: HUB_GIT_FAILED, it could not be looked at, which is no yes.
        """
        refs = self._git('for-each-ref', '--format=%(refname)', 'refs/heads/station').split()
        wrong = check_ref(update, station, refs)
        if wrong or update.deletes:
            return wrong
        kind = self._git('cat-file', '-t', update.new)
        wanted = 'blob' if update.ref.startswith(CLAIMS) else 'commit'
        if kind != wanted:
            return [f'{update.ref}: it is a {kind}, and should be a {wanted}']
        if wanted == 'blob':
            size = int(self._git('cat-file', '-s', update.new))
            return [f'{update.ref}: too long'] if size > 4096 else []
        if not update.makes and not self._descends(update.old, update.new):
            return [f'{update.ref}: it does not go on from {update.old[:10]}; nothing is forced']
        if not update.ref.startswith('refs/heads/'):
            return self._check_notes(update)
        return [f'{update.ref}: {words}' for words in self.check_commits(update.new)][:_SHOWN]

    def check_commits(self, tip: str) -> list[str]:
        """Check a commit, and all before it that are on no branch yet."""
        self._read_main()
        tip = self._git('rev-parse', '--verify', tip)
        # notes are commits too: only what a branch has was ever checked
        new = self._git(
            'rev-list', f'--max-count={self.limits.commits + 1}', tip, '--not', '--branches'
        ).split()
        if len(new) > self.limits.commits:
            return [f'more than {self.limits.commits} new commits; push them in parts']
        wrong = []
        for commit in dict.fromkeys([tip, *new]):
            wrong += [f'commit {commit[:10]}: {words}' for words in self._check_one(commit)]
            if len(wrong) >= _SHOWN:
                break
        return wrong

    def _check_one(self, commit: str) -> list[str]:
        size = int(self._git('cat-file', '-s', commit))
        if size > self.limits.message + _HEADERS:
            return [f'it has {size} bytes of text, more than {self.limits.message}']
        raw = self._run('cat-file', 'commit', commit)
        headers, _, message = raw.partition(b'\n\n')
        orphan = b'\nparent ' not in headers and commit not in self._first
        wrong = check_commit(message, self.limits, orphan=orphan)
        pairs = self._git(
            'log', '-1', '--format=%(trailers:only=true,unfold=true)', commit
        ).splitlines()
        named = [tuple(line.split(': ', 1)) for line in pairs if ': ' in line]
        wrong += check_trailers(named)
        try:
            entries = self._listing(commit)
        except TooMuchError:
            return [*wrong, f'it has more than {self.limits.files} files']
        return wrong + check_tree(entries, self._main, self._frozen, self.limits)

    def _check_notes(self, update: Update) -> list[str]:
        try:
            entries = listing(
                self.repository, update.new, files=200_000, environment=self.environment
            )
        except TooMuchError:
            return [f'{update.ref}: more notes than can be']
        big = [entry.path for entry in entries if entry.size > _NOTE]
        odd = [entry.path for entry in entries if entry.mode != '100644']
        return [f'{update.ref}: {path} is no note' for path in [*big, *odd][:_SHOWN]]

    def _read_main(self) -> None:
        if self._main:
            return
        self._main = self._listing(MAIN)
        self._first = self._git('rev-list', '--max-parents=0', MAIN).split()
        listed = [entry for entry in self._main if entry.path == FROZEN_FILE]
        text = self._git('cat-file', 'blob', listed[0].blob) if listed else ''
        self._frozen = frozen_paths(text)

    def _descends(self, old: str, new: str) -> bool:
        return (
            git(
                self.repository, 'merge-base', '--is-ancestor', old, new,
                accept=(0, 1), environment=self.environment,
            ).code == 0
        )  # fmt: skip

    def _listing(self, commit: str) -> list[Entry]:
        return listing(
            self.repository, commit, files=self.limits.files, environment=self.environment
        )

    def _run(self, *arguments: str) -> bytes:
        return git(self.repository, *arguments, environment=self.environment).output

    def _git(self, *arguments: str) -> str:
        return self._run(*arguments).decode('utf-8', 'replace').strip()


def refused(wrong: list[str]) -> str:
    """Return the sentences as one text, shortened."""
    more = len(wrong) - _SHOWN
    return '; '.join(wrong[:_SHOWN]) + (f'; and {more} more' if more > 0 else '')
