"""Names of refs in a hub, and of who owns them."""

from __future__ import annotations

import hashlib
import re

from enpire_nodes.common.errors import ErrorCode, StationError

MAIN = 'refs/heads/main'
STATIONS = 'refs/heads/station/'
RESULTS = 'refs/notes/results-'
PROMOTIONS = 'refs/notes/promotions-'
CLAIMS = 'refs/claims/'
#: What was fetched from elsewhere and not looked at yet; the hub shows it to nobody.
INCOMING = 'refs/incoming/'

NOTHING = '0' * 40
_STATION = re.compile(r'[A-Za-z0-9][A-Za-z0-9_-]{0,62}')
_KEY = re.compile(r'[a-z0-9][a-z0-9_-]{0,62}')


def station_name(name: str) -> str:
    """Return a station's name as refs have it: without the slash of its namespace.

    :raises StationError: HUB_UNUSABLE, it cannot be part of a ref.
    """
    plain = name.strip('/')
    if not _STATION.fullmatch(plain):
        raise StationError(
            ErrorCode.HUB_UNUSABLE,
            f'{name!r} cannot name a station in the hub; use letters, digits, _ and -',
        )
    return plain


def branch(station: str) -> str:
    """Return the ref of a station's branch."""
    return STATIONS + station_name(station)


def results_ref(station: str) -> str:
    """Return the notes ref of a station's results."""
    return RESULTS + station_name(station)


def owner(ref: str) -> str:
    """Return whose branch or results a ref holds; empty when nobody's."""
    if ref.startswith(STATIONS):
        return ref[len(STATIONS) :].split('/', 1)[0]
    return ref[len(RESULTS) :] if ref.startswith(RESULTS) else ''


def claim_ref(key: str) -> str:
    """Return the ref of a claim; a key that no ref can have goes by its digest."""
    if _KEY.fullmatch(key):
        return CLAIMS + key
    return CLAIMS + 'sha256-' + hashlib.sha256(key.encode()).hexdigest()[:40]
