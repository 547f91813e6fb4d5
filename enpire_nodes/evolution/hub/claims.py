"""Claims: refs that say which station is at an idea, taken by compare-and-swap.

A claim ends by the wall clock, because it is read on other machines, which share no other clock;
their clocks may differ by seconds, and a claim lasts for minutes. A station that died with a claim
holds nobody up beyond that.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
import json
from pathlib import Path
import time

from enpire_nodes.common.errors import StationError
from enpire_nodes.evolution.hub.git import git
from enpire_nodes.evolution.hub.names import claim_ref, CLAIMS, NOTHING, station_name
from enpire_nodes.evolution.hub.trees import blobs
from enpire_nodes.rollout.ledger.chain import canonical_json

_MOST = 16 * 2**20  # bytes of all claims


@dataclass(frozen=True, slots=True)
class Claim:
    """Who is at an idea, and until when (ns of the wall clock)."""

    key: str
    station: str
    since_ns: int
    until_ns: int

    def holds(self, now_ns: int) -> bool:
        """Whether it has not ended."""
        return now_ns < self.until_ns


def claim(repository: Path, key: str, station: str, *, for_seconds: float) -> bool:
    """Take or prolong a claim; of several that try at once, one gets it.

    :return: whether it is this station's now.
    :raises StationError: HUB_GIT_FAILED.
    """
    ref, now, name = claim_ref(key), time.time_ns(), station_name(station)
    blob, known = _read(repository, ref)
    mine = known is not None and known.station == name
    if known is not None and known.holds(now) and not mine:
        return False
    since = known.since_ns if mine and known.holds(now) else now
    wanted = Claim(key[:500], name, since, now + int(for_seconds * 1e9))
    fresh = write(repository, wanted)
    return swap(repository, ref, fresh, blob)


def release(repository: Path, key: str, station: str) -> bool:
    """Give a claim back; return whether it was this station's.

    :raises StationError: HUB_GIT_FAILED.
    """
    ref = claim_ref(key)
    blob, known = _read(repository, ref)
    if known is None or known.station != station_name(station):
        return False
    return swap(repository, ref, NOTHING, blob)


def claims(repository: Path, *, ended: bool = False) -> list[Claim]:
    """Return the claims that hold, or all of them.

    :raises StationError: HUB_GIT_FAILED.
    """
    now = time.time_ns()
    found = read_all(repository, CLAIMS).values()
    return [known for _, known in found if known is not None and (ended or known.holds(now))]


def read_all(repository: Path, prefix: str) -> dict[str, tuple[str, Claim | None]]:
    """Return ref: (blob, claim) of all below ``prefix``; None for what is no claim."""
    listed = git(
        repository, 'for-each-ref', '--format=%(objectname) %(objecttype) %(refname)', prefix
    ).text
    rows = [line.split(' ', 2) for line in listed.splitlines()]
    contents = blobs(repository, [row[0] for row in rows if row[1] == 'blob'], most=_MOST)
    return {ref: (blob, _parse(contents.get(blob, b''))) for blob, _, ref in rows}


def write(repository: Path, wanted: Claim) -> str:
    """Write a claim, which holds nothing until a ref names it; return its blob."""
    content = canonical_json(asdict(wanted)).encode()
    return git(repository, 'hash-object', '-w', '--stdin', content=content).text


def swap(repository: Path, ref: str, new: str, old: str) -> bool:
    """Move a ref from ``old`` to ``new``; return False when it was not there any more.

    :raises StationError: HUB_GIT_FAILED, for any other reason.
    """
    try:
        git(repository, 'update-ref', '--stdin', content=f'update {ref} {new} {old}\n'.encode())
    except StationError:
        if current(repository, ref) != old:
            return False
        raise
    return True


def current(repository: Path, ref: str) -> str:
    """Return what a ref names; zeros when there is none."""
    asked = git(repository, 'rev-parse', '--verify', '--quiet', ref, accept=(0, 1))
    return asked.text or NOTHING


def _read(repository: Path, ref: str) -> tuple[str, Claim | None]:
    return read_all(repository, ref).get(ref, (NOTHING, None))


def _parse(content: bytes) -> Claim | None:
    try:
        about = json.loads(content)
        return Claim(
            str(about['key']), str(about['station']), int(about['since_ns']),
            int(about['until_ns']),
        )  # fmt: skip
    except (ValueError, KeyError, TypeError):
        return None
