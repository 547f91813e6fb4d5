"""What a hub takes, as functions of what was sent: no Git is run here.

Every function returns what is wrong, in sentences; an empty list is a yes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
import re
import unicodedata

from enpire_nodes.evolution.hub.names import (
    CLAIMS,
    MAIN,
    NOTHING,
    PROMOTIONS,
    RESULTS,
    STATIONS,
)
from enpire_nodes.evolution.hub.trees import Entry, EXECUTABLE, LINK, PLAIN, SUBMODULE

#: Frozen whatever the list says, the list itself included.
FROZEN_FILE = 'FROZEN'
ALWAYS_FROZEN = (FROZEN_FILE, 'PROGRAM.md', 'environment.json')

#: Files with which a repository can have programs run, or contents changed, on whoever checks out.
_STEERING = frozenset({'.gitattributes', '.gitmodules'})
_TRAILERS = {
    'idea': (re.compile(r'[^\s].{0,119}'), 'a key of at most 120 characters'),
    'parent': (re.compile(r'[0-9a-f]{7,40}( .*)?'), 'the hash of a commit'),
    'borrowed-from': (re.compile(r'[0-9a-f]{7,40}( .*)?'), 'the hash of a commit'),
    'environment': (re.compile(r'[0-9a-f]{8,64}'), 'the digest of the frozen environment'),
}


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes.

    :param blob: bytes of one file.
    :param tree: bytes of all files of a commit.
    :param files: of a commit.
    :param message: bytes of the text of a commit.
    :param commits: that are new in one push.
    """

    blob: int = 1_000_000
    tree: int = 16_000_000
    files: int = 2000
    message: int = 16_000
    commits: int = 500


@dataclass(frozen=True, slots=True)
class Update:
    """A ref that somebody wants to move."""

    old: str
    new: str
    ref: str

    @property
    def deletes(self) -> bool:
        """Whether it would be gone."""
        return self.new == NOTHING

    @property
    def makes(self) -> bool:
        """Whether it would be new."""
        return self.old == NOTHING


def parse_updates(text: str) -> list[Update]:
    """Return what Git tells a pre-receive hook, one ``old new ref`` a line."""
    return [Update(*line.split(' ', 2)) for line in text.splitlines() if line]


def check_ref(update: Update, station: str, refs: Iterable[str] = ()) -> list[str]:
    """Check whether somebody may move a ref at all.

    :param station: whose socket it came through; empty for another hub, which brings the refs of
        several stations, their results and claims.
    :param refs: that there are.
    """
    ref = update.ref
    own = STATIONS + station
    if station and ref != own and not ref.startswith(own + '/'):
        return [f'{ref}: station {station} may push {own} alone']
    if not station and not (
        ref == MAIN or ref.startswith((STATIONS, RESULTS, PROMOTIONS, CLAIMS))
    ):
        return [f'{ref}: a hub takes main, branches of stations, results and claims alone']
    if update.deletes and not (ref.startswith(CLAIMS) and not station):
        return [f'{ref}: nothing is deleted here; dead ideas stay']
    clash = [other for other in refs if other.startswith(ref + '/') or ref.startswith(other + '/')]
    if update.makes and clash:
        return [f'{ref}: {clash[0]} is there, and Git cannot have both; choose another name']
    return []


def frozen_paths(text: str) -> tuple[str, ...]:
    """Return the paths that a ``FROZEN`` file lists, and those that always are."""
    lines = [line.strip().strip('/') for line in text.splitlines()]
    listed = [line for line in lines if line and not line.startswith('#')]
    return tuple(dict.fromkeys([*ALWAYS_FROZEN, *listed]))


def check_tree(
    entries: Iterable[Entry], main: Iterable[Entry], frozen: tuple[str, ...], limits: Limits
) -> list[str]:
    """Check the files of one commit.

    :param main: files of ``main``, with which the frozen ones are compared: what a parent has
        does not matter, so that neither a merge nor an edit in two steps brings a change in.
    """
    there = {entry.path: entry for entry in entries}
    kept = {entry.path: entry for entry in main}
    wrong = [*_frozen_changes(there, kept, frozen), *_look_alikes(there, frozen)]
    for path, entry in there.items():
        wrong += [f'{_shown(path)}: {words}' for words in _entry_faults(entry, kept, limits)]
    total = sum(entry.size for entry in there.values())
    if total > limits.tree:
        wrong.append(f'its files have {total} bytes, more than {limits.tree}')
    if len(there) > limits.files:
        wrong.append(f'it has {len(there)} files, more than {limits.files}')
    return wrong


def path_fault(path: str) -> str:
    """Return why a path may not be written to a disk; empty when it may."""
    parts = path.split('/')
    if any(part in ('', '.', '..') or _plain(part) == '.git' for part in parts):
        return 'not a path within the folder'
    if any(0xD800 <= ord(letter) <= 0xDFFF for letter in path):
        return 'not UTF-8'
    if '\\' in path or any(unicodedata.category(letter) in ('Cc', 'Cf') for letter in path):
        return 'has a letter that cannot be seen, or a backslash'
    return 'longer than 200 bytes' if len(path.encode()) > 200 else ''


def check_commit(message: bytes, limits: Limits, *, orphan: bool) -> list[str]:
    """Check what a commit says, but for its trailers.

    :param orphan: whether it has no parent, and is not the first of ``main``.
    """
    wrong = []
    if orphan:
        wrong.append('it has no parent: every idea descends from the first commit of main')
    if len(message) > limits.message:
        wrong.append(f'its message has {len(message)} bytes, more than {limits.message}')
    try:
        text = message.decode()
    except UnicodeDecodeError:
        return [*wrong, 'its message is not UTF-8']
    if not text.strip():
        wrong.append('it has no message: the subject is the hypothesis')
    if any(unicodedata.category(letter) == 'Cc' and letter not in '\n\t\r' for letter in text):
        wrong.append('its message has control characters')
    return wrong


def check_trailers(trailers: Iterable[tuple[str, str]]) -> list[str]:
    """Check the trailers that have a meaning here; others are free."""
    wrong = []
    for name, value in trailers:
        pattern, words = _TRAILERS.get(name.lower(), (None, ''))
        if pattern is not None and not pattern.fullmatch(value):
            wrong.append(f'its trailer "{name}: {value[:60]}" is not {words}')
    return wrong


def _frozen_changes(
    there: Mapping[str, Entry], kept: Mapping[str, Entry], frozen: tuple[str, ...]
) -> list[str]:
    changed = [
        path
        for path in sorted({*there, *kept})
        if _within(path, frozen) and _same(there.get(path)) != _same(kept.get(path))
    ]
    return [f'{_shown(path)}: frozen, and it differs from main' for path in changed]


def _look_alikes(there: Mapping[str, Entry], frozen: tuple[str, ...]) -> list[str]:
    """Find paths that some file systems take for others."""
    spelled: dict[str, str] = {}
    wrong = []
    for name in sorted({*frozen, *_folders([*frozen, *there]), *there}):
        first = spelled.setdefault(_plain(name), name)
        if first != name:
            wrong.append(f'{_shown(name)}: differs from {_shown(first)} in its spelling alone')
    return wrong


def _folders(paths: Iterable[str]) -> set[str]:
    return {path[:at] for path in paths for at, letter in enumerate(path[:1000]) if letter == '/'}


def _entry_faults(entry: Entry, kept: Mapping[str, Entry], limits: Limits) -> list[str]:
    wrong = []
    if entry.mode == LINK:
        wrong.append('is a symbolic link; only plain files are taken')
    elif entry.mode == SUBMODULE:
        wrong.append('is a submodule; only plain files are taken')
    elif entry.mode not in (PLAIN, EXECUTABLE):
        wrong.append(f'has mode {entry.mode}; only plain files are taken')
    if entry.size > limits.blob:
        wrong.append(
            f'has {entry.size} bytes, more than {limits.blob}; weights go to the artifact store'
        )
    steers = _plain(entry.path.rsplit('/', 1)[-1]) in _STEERING
    if steers and _same(entry) != _same(kept.get(entry.path)):
        wrong.append('can have filters run on whoever checks it out; only main may bring it')
    fault = path_fault(entry.path)
    return [*wrong, fault] if fault else wrong


def _within(path: str, frozen: tuple[str, ...]) -> bool:
    return any(path == name or path.startswith(name + '/') for name in frozen)


def _same(entry: Entry | None) -> tuple[str, str] | None:
    return None if entry is None else (entry.mode, entry.blob)


def _plain(name: str) -> str:
    """Return what a file system that knows no case, or no trailing dot, may take a name for."""
    seen = ''.join(letter for letter in name if unicodedata.category(letter) != 'Cf')
    folded = unicodedata.normalize('NFKC', seen).casefold()
    return '/'.join(part.rstrip(' .') or part for part in folded.split('/'))


def _shown(path: str) -> str:
    return ascii(path)[1:-1][:120]
