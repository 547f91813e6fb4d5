"""Ideas: the commits beyond the first one of ``main``, with whom they come from."""

from __future__ import annotations

from pathlib import Path
import re

from enpire_nodes.evolution.hub.git import git
from enpire_nodes.evolution.hub.names import owner, STATIONS
from enpire_nodes.evolution.records import IdeaRecord

_FORMAT = '%H%x00%P%x00%ct%x00%cn%x00%s%x00%b%x00%(trailers:only=true,unfold=true)%x00%x01'
_MOST = 256 * 2**20  # bytes of all messages of a hub
_PICKED = re.compile(r'^\(cherry picked from commit ([0-9a-f]{7,64})\)$', re.MULTILINE)
_HASH = re.compile(r'^[0-9a-f]{7,40}')


def trailers(text: str) -> dict[str, list[str]]:
    """Return the values of each trailer, by its name in lower case.

    :param text: lines of ``name: value``, as Git lists the trailers of a message.
    """
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        name, colon, value = line.partition(':')
        if colon and value.strip():
            found.setdefault(name.strip().lower(), []).append(value.strip())
    return found


def ideas(repository: Path, station: str | None = None) -> list[IdeaRecord]:
    """Return the ideas of all stations, or of one; parents first, then the oldest first.

    An idea on branches of several stations, because one merged another's, is that of the one who
    committed it. What a commit says it borrows is its author's word.

    :raises StationError: HUB_GIT_FAILED.
    """
    output = git(
        repository, 'log', '-z', '--date-order', '--reverse', f'--format=tformat:{_FORMAT}',
        '--branches', most=_MOST,
    ).output.decode('utf-8', 'replace')  # fmt: skip
    rows = [row.lstrip('\0').split('\0') for row in output.split('\0\x01')]
    rows = [row for row in rows if len(row) >= 7 and row[1]]  # the first commit has no parent
    parents = {row[0]: row[1].split() for row in rows}
    holders = _holders(repository, parents)
    records = [_record(row, parents, holders.get(row[0], [])) for row in rows]
    return [record for record in records if station in (None, record.station)]


def _holders(repository: Path, parents: dict[str, list[str]]) -> dict[str, list[str]]:
    """Return which stations have a commit on a branch."""
    listed = git(repository, 'for-each-ref', '--format=%(objectname) %(refname)', STATIONS).text
    holders: dict[str, list[str]] = {}
    for tip, ref in sorted(line.split(' ', 1) for line in listed.splitlines()):
        name, waiting = owner(ref), [tip]
        while waiting:
            commit = waiting.pop()
            known = holders.setdefault(commit, [])
            if commit in parents and name not in known:
                known.append(name)
                waiting += parents[commit]
    return holders


def _record(row: list[str], parents: dict[str, list[str]], holders: list[str]) -> IdeaRecord:
    commit, _, seconds, committer, subject, body, listed = row[:7]
    named = trailers(listed)
    first, *merged = parents[commit]
    words = [*_PICKED.findall(body), *named.get('borrowed-from', []), *named.get('parent', [])]
    hashes = [found.group() for word in words if (found := _HASH.match(word))]
    borrowed = [_full(word, parents) for word in [*merged, *hashes]]
    station = committer if committer in holders or not holders else holders[0]
    return IdeaRecord(
        commit=commit,
        parent=first,
        subject=subject,
        station=station,
        stamp_ns=int(seconds) * 10**9,
        borrowed=tuple(word for word in dict.fromkeys(borrowed) if word not in (first, commit)),
        body=body.strip(),
    )


def _full(word: str, known: dict[str, list[str]]) -> str:
    """Return the hash that a shortened one stands for, when just one does."""
    if word in known:
        return word
    found = [commit for commit in known if commit.startswith(word)]
    return found[0] if len(found) == 1 else word
