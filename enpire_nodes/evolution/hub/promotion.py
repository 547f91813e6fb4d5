"""How ``main`` moves: with a signed record of the block that confirmed it, and in one step."""

from __future__ import annotations

from pathlib import Path
import time

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.environment.contract.signing import fingerprint
from enpire_nodes.evolution.hub.claims import current, swap
from enpire_nodes.evolution.hub.inspection import Inspection, refused
from enpire_nodes.evolution.hub.maintenance import writing
from enpire_nodes.evolution.hub.names import MAIN, PROMOTIONS
from enpire_nodes.evolution.hub.notes import append, read
from enpire_nodes.evolution.hub.results import checked_line, signed_line, SignedLine
from enpire_nodes.evolution.records import Promotion
from enpire_nodes.rollout.ledger.chain import canonical_json
from enpire_nodes.rollout.record_json import to_json


def promote(repository: Path, promotion: Promotion, key: Ed25519PrivateKey) -> None:
    """Sign the promotion, note it at its commit, and move ``main`` there.

    The note comes first: a crash in between leaves a promotion that can be repeated, never a
    ``main`` that nobody has signed. Each key has a notes ref of its own.

    :raises StationError: HUB_PUSH_REFUSED, the commit breaks the rules, or ``main`` was moved by
        somebody else meanwhile; HUB_GIT_FAILED, HUB_UNUSABLE.
    """
    with writing(repository):
        before = current(repository, MAIN)
        wrong = Inspection.of(repository).check_commits(promotion.commit)
        if wrong:
            raise _refused(f'{promotion.commit[:10]} cannot be main: {refused(wrong)}')
        ref = PROMOTIONS + fingerprint(key.public_key())[:16]
        record = to_json(promotion)
        about = {'base': before, 'promotion': record, 'stamp_ns': time.time_ns()}
        if not _noted(repository, ref, record):
            line = canonical_json(signed_line(about, key))
            append(repository, ref, promotion.commit, line)
        if before != promotion.commit and not swap(repository, MAIN, promotion.commit, before):
            raise _refused('main was moved meanwhile; look at it, and promote again')


def promotions(repository: Path, trusted: Path | None = None) -> list[SignedLine]:
    """Return all promotions, in the order of their time, each with whether it may be believed.

    :raises StationError: HUB_GIT_FAILED.
    """
    found = []
    for ref, commit, lines in read(repository, PROMOTIONS):
        for text in lines:
            line = checked_line(text, trusted)
            record = line.get('promotion')
            if line.verified and not (isinstance(record, dict) and record.get('commit') == commit):
                line.problem = f'it was signed for another place than {ref} of {commit[:10]}'
            found.append(line)
    return sorted(found, key=_stamp)


def _stamp(line: SignedLine) -> int:
    stamp = line.get('stamp_ns', 0)
    return stamp if isinstance(stamp, int) else 0


def _noted(repository: Path, ref: str, record: dict) -> bool:
    return any(
        line.get('promotion') == record
        for found, _, lines in read(repository, PROMOTIONS)
        if found == ref
        for line in map(checked_line, lines)
        if line.verified
    )


def _refused(reason: str) -> StationError:
    return StationError(ErrorCode.HUB_PUSH_REFUSED, reason)
