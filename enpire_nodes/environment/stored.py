"""Judging evidence that lies in a file, of known content."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.environment import evidence
from enpire_nodes.tasks.api import Judgement, Verifier


def judge_file(path: Path, digest: str, make_verifier: Callable[[], Verifier]) -> Judgement:
    """Judge a file of evidence with a judge of its own.

    :param digest: sha256 that the file must have, in hex.
    :param make_verifier: returns a judge that has seen nothing yet.
    :raises StationError: ENVIRONMENT_EVIDENCE_UNREADABLE, it is missing, broken or another one.
    """
    known, found = evidence.load_known(path)
    if found != digest:
        raise StationError(
            ErrorCode.ENVIRONMENT_EVIDENCE_UNREADABLE,
            f'{path}: its sha256 is {found}, not {digest or "given"}; restore the file or list it '
            'anew',
        )
    return evidence.judge(make_verifier(), known)
