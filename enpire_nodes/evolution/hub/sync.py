"""An exchange with a hub elsewhere, over any transport that Git has.

What comes is looked at before any branch of this hub shows it, and only the own station's refs,
claims and confirmed ``main`` go out. Without the other hub nothing is lost: the station works on,
and the next exchange brings all of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
import os
from pathlib import Path
import random
import time

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.evolution.hub.claims import Claim, current, read_all, swap
from enpire_nodes.evolution.hub.git import clean_environment, git
from enpire_nodes.evolution.hub.inspection import Inspection
from enpire_nodes.evolution.hub.names import (
    branch,
    CLAIMS,
    INCOMING,
    MAIN,
    NOTHING,
    PROMOTIONS,
    results_ref,
    station_name,
)
from enpire_nodes.evolution.hub.promotion import promotions
from enpire_nodes.evolution.hub.rules import Update

_FETCHED = ('refs/heads/', 'refs/notes/', CLAIMS)
_WAIT = (0.2, 1.0)  # s between tries, drawn evenly, so that stations do not stay in step
#: What ssh needs of whoever runs the station; Git's own settings stay away.
_TRANSPORT = ('HOME', 'USER', 'LOGNAME', 'SSH_AUTH_SOCK')


@dataclass(slots=True)
class SyncReport:
    """What came of an exchange.

    :ivar received: refs that are newer here now.
    :ivar sent: refs that are newer there now.
    :ivar refused: sentences about refs that one of the hubs did not take.
    :ivar lost: keys of own claims that another station had there first.
    """

    received: list[str] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


class _LostError(Exception):
    """The other hub does not answer."""


def sync(
    repository: Path,
    upstream: str,
    station: str,
    *,
    deadline: float = 20.0,
    tries: int = 3,
    trusted: Path | None = None,
    wait: Callable[[float], None] = time.sleep,
) -> SyncReport:
    """Fetch what others have, and push what is this station's.

    :param upstream: path or URL of the other hub.
    :param deadline: s that all of it may take, but for the last run of Git to end.
    :param trusted: folder of the keys whose promotions move ``main``; None for this machine's.
    :raises StationError: HUB_UNREACHABLE, the other hub is lost, for now; HUB_GIT_FAILED, this hub
        cannot be read or written.
    """
    report, end = SyncReport(), time.monotonic() + deadline
    lost: StationError | None = None
    for attempt in range(tries):
        left = end - time.monotonic()
        if left <= 0.0:
            break
        try:
            _fetch(repository, upstream, left)
            _receive(repository, station_name(station), report, trusted)
            lost = None
            if _send(repository, upstream, station, report, max(1.0, end - time.monotonic())):
                break
        except _LostError as error:
            lost = StationError(
                ErrorCode.HUB_UNREACHABLE,
                f'the hub {upstream} is not reached, and nothing is lost: {error}',
            )
        if attempt + 1 < tries:
            wait(random.uniform(*_WAIT))
    if lost is not None:
        raise lost
    return report


def _environment() -> dict[str, str]:
    return clean_environment(
        **{name: os.environ[name] for name in _TRANSPORT if name in os.environ},
        GIT_SSH_COMMAND='ssh -o BatchMode=yes -o ConnectTimeout=10',
    )


def _fetch(repository: Path, upstream: str, deadline: float) -> None:
    specs = [f'+{ref}*:{INCOMING}{ref.removeprefix("refs/")}*' for ref in _FETCHED]
    try:
        git(
            repository, 'fetch', '--quiet', '--prune', '--no-tags', '--no-write-fetch-head',
            '--refmap=', '--', upstream, *specs, deadline=deadline, environment=_environment(),
        )  # fmt: skip
    except StationError as error:
        raise _LostError(error.message) from error


def _receive(repository: Path, station: str, report: SyncReport, trusted: Path | None) -> None:
    # what is not said again is not true any more
    report.refused, report.lost = [], []
    inspection = Inspection.of(repository)
    for ref, new in sorted(_refs(repository, INCOMING).items(), key=_main_last):
        ref = 'refs/' + ref.removeprefix(INCOMING)
        if ref.startswith(CLAIMS):
            continue
        old = current(repository, ref)
        own = ref == results_ref(station)
        if old == new or own or _is_ahead(repository, old, new):
            continue
        wrong = inspection.check(Update(old, new, ref), '')
        if not wrong and ref == MAIN and not _is_promoted(repository, new, trusted):
            wrong = [f'{ref}: nobody who is trusted here has signed that it moves to {new[:10]}']
        if not wrong and not swap(repository, ref, new, old):
            wrong = [f'{ref}: it was moved meanwhile']
        report.refused += wrong
        report.received += [] if wrong else [ref]
    _receive_claims(repository, station, report)


def _receive_claims(repository: Path, station: str, report: SyncReport) -> None:
    now = time.time_ns()
    here = read_all(repository, CLAIMS)
    for place, (blob, claim) in read_all(repository, INCOMING + 'claims/').items():
        ref = 'refs/' + place.removeprefix(INCOMING)
        old, known = here.get(ref, (NOTHING, None))
        if claim is None or claim.station == station or not claim.holds(now) or blob == old:
            continue
        if swap(repository, ref, blob, old):
            report.received.append(ref)
            if known is not None and known.station == station and known.holds(now):
                report.lost.append(known.key)


def _send(
    repository: Path, upstream: str, station: str, report: SyncReport, deadline: float
) -> bool:
    """Push what is newer here; return whether nothing raced."""
    there = _refs(repository, INCOMING)
    specs, leases = [], []
    for ref, new in _own_refs(repository, station).items():
        old = there.get(INCOMING + ref.removeprefix('refs/'), NOTHING)
        if new == old or not _may_go(repository, ref, new, old, report):
            continue
        specs.append(f'{"" if new == NOTHING else new}:{ref}')
        leases.append(f'--force-with-lease={ref}:{"" if old == NOTHING else old}')
    if not specs:
        return True
    answer = git(
        repository, 'push', '--porcelain', '--no-verify', *leases, '--', upstream, *specs,
        deadline=deadline, environment=_environment(), accept=(0, 1, 128),
    )  # fmt: skip
    rows = [line.split('\t') for line in answer.text.splitlines() if '\t' in line]
    report.sent += [row[1].split(':')[-1] for row in rows if row[0] not in ('!', '=')]
    failed = [row for row in rows if row[0] == '!']
    if not rows:
        raise _LostError(answer.words)
    report.refused += [f'{row[1].split(":")[-1]}: {row[2]}; {answer.words}' for row in failed]
    return not any('stale' in row[2] or 'lock' in row[2] for row in failed)


def _may_go(repository: Path, ref: str, new: str, old: str, report: SyncReport) -> bool:
    # the lease lets a push force, for claims; other Git servers than a hub would let it
    if ref.startswith(CLAIMS) or old == NOTHING or _is_ahead(repository, new, old):
        return True
    if not _is_ahead(repository, old, new):
        report.refused.append(f'{ref}: the other hub has {old[:10]}, which {new[:10]} lacks')
    return False


def _own_refs(repository: Path, station: str) -> dict[str, str]:
    own, now = branch(station), time.time_ns()
    found = {
        ref: new
        for ref, new in _refs(repository, 'refs/').items()
        if ref in (MAIN, own, results_ref(station)) or ref.startswith((own + '/', PROMOTIONS))
    }
    for ref, (blob, claim) in read_all(repository, CLAIMS).items():
        if _is_mine(claim, station) and claim.holds(now):
            found[ref] = blob
    for place, (_, claim) in read_all(repository, INCOMING + 'claims/').items():
        ref = 'refs/' + place.removeprefix(INCOMING)
        if _is_mine(claim, station) and current(repository, ref) == NOTHING:
            found[ref] = NOTHING  # it was given back here
    return found


def _is_mine(claim: Claim | None, station: str) -> bool:
    return claim is not None and claim.station == station_name(station)


def _refs(repository: Path, prefix: str) -> dict[str, str]:
    rows = git(repository, 'for-each-ref', '--format=%(objectname) %(refname)', prefix).text
    return {ref: name for name, ref in (row.split(' ', 1) for row in rows.splitlines())}


def _main_last(item: tuple[str, str]) -> tuple[bool, str]:
    return item[0] == INCOMING + 'heads/main', item[0]


def _is_ahead(repository: Path, here: str, there: str) -> bool:
    """Return whether this hub has all that the other has of a ref."""
    if here == NOTHING:
        return False
    asked = git(repository, 'merge-base', '--is-ancestor', there, here, accept=(0, 1))
    return asked.code == 0


def _is_promoted(repository: Path, commit: str, trusted: Path | None) -> bool:
    return any(
        line.verified and line['promotion'].get('commit') == commit
        for line in promotions(repository, trusted)
    )
