"""What the station measured, signed by it, in a notes ref of its own.

A note is one JSON line per result, canonical, of::

    {"commit": ..., "key": ..., "result": {...}, "signature": ..., "stamp_ns": ..., "station": ...}

The Ed25519 signature covers all but itself, so that a result cannot be moved to another commit or
station. A line that somebody has written or changed is shown, marked, and never left out.
"""

from __future__ import annotations

from collections.abc import Mapping
import json
from pathlib import Path
import time
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from enpire_nodes.common.errors import StationError
from enpire_nodes.environment.contract.signing import fingerprint, sign, Signature, verify
from enpire_nodes.evolution.hub.maintenance import writing
from enpire_nodes.evolution.hub.names import owner, RESULTS, results_ref, station_name
from enpire_nodes.evolution.hub.notes import append, read
from enpire_nodes.rollout.ledger.chain import canonical_json


class SignedLine(dict):
    """One line of a note.

    :ivar verified: whether a key that is trusted here signed just this, just here.
    :ivar problem: why not, in words; empty when it did.
    """

    def __init__(self, content: Mapping[str, Any], problem: str = '') -> None:
        super().__init__(content)
        self.problem = problem

    @property
    def verified(self) -> bool:
        """Whether it may be believed."""
        return not self.problem

    @property
    def commit(self) -> str:
        """Which commit it says that it is about."""
        return str(self.get('commit', ''))

    @property
    def record(self) -> dict[str, Any]:
        """What was measured."""
        result = self.get('result')
        return result if isinstance(result, dict) else {}


def signed_line(about: Mapping[str, Any], key: Ed25519PrivateKey) -> dict[str, Any]:
    """Return a mapping with the key's name and signature over the rest."""
    covered = {**about, 'key': fingerprint(key.public_key())}
    return {**covered, 'signature': sign(canonical_json(covered).encode(), key).value}


def checked_line(text: str, trusted: Path | None = None) -> SignedLine:
    """Return a line as it is, with what is wrong with its signature."""
    try:
        line = json.loads(text)
    except ValueError:
        line = None
    if not isinstance(line, dict):
        return SignedLine({'text': text[:1000]}, 'it is no JSON object')
    try:
        covered = {name: value for name, value in line.items() if name != 'signature'}
        content = canonical_json(covered).encode()
        signature = Signature(str(line.get('key', '')), str(line.get('signature', '')))
        verify(content, signature, trusted)
    except StationError as error:
        return SignedLine(line, error.message)
    except ValueError as error:  # a NaN, or half a letter
        return SignedLine(line, f'nobody can have signed it: {error}')
    return SignedLine(line)


def add_result(
    repository: Path, station: str, commit: str, result: Mapping[str, Any], key: Ed25519PrivateKey
) -> dict[str, Any]:
    """Sign a result of a commit, and put it into the station's notes.

    :raises StationError: HUB_GIT_FAILED, HUB_UNUSABLE.
    :raises ValueError: the result is not what JSON can hold.
    """
    station = station_name(station)
    line = signed_line(
        {'commit': commit, 'result': dict(result), 'stamp_ns': time.time_ns(), 'station': station},
        key,
    )
    with writing(repository):
        append(repository, results_ref(station), commit, canonical_json(line))
    return line


def results(
    repository: Path, station: str | None = None, trusted: Path | None = None
) -> list[SignedLine]:
    """Return all results, oldest first within a commit, each with whether it may be believed.

    :param trusted: folder of the keys; None for this machine's.
    :raises StationError: HUB_GIT_FAILED.
    """
    prefix = RESULTS if station is None else results_ref(station)
    found: list[SignedLine] = []
    for ref, commit, lines in read(repository, prefix):
        if station is not None and ref != prefix:
            continue
        seen: set[str] = set()
        for text in lines:
            line = checked_line(text, trusted)
            if line.verified:
                line.problem = _misplaced(line, ref, commit, text in seen)
            seen.add(text)
            found.append(line)
    return found


def _misplaced(line: SignedLine, ref: str, commit: str, repeated: bool) -> str:
    if line.get('commit') != commit or line.get('station') != owner(ref):
        return f'it was signed for another place than {ref} of {commit[:10]}'
    if not isinstance(line.get('result'), dict):
        return 'it was signed as something else than a result'
    return 'it is there twice' if repeated else ''
