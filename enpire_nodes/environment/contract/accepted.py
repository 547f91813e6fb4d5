"""Whether an acceptance report allows an environment to be frozen."""

from __future__ import annotations

from collections.abc import Mapping
import hashlib
import json
from pathlib import Path
from typing import Any

from enpire_nodes.common.errors import ErrorCode, StationError

_HOW = 'measure again (`enpire environment measure`), and freeze with its report'


def require_accepted(path: Path | None, *, verifier: str, files: Mapping[str, str]) -> str:
    """Refuse a report that did not pass, or that is about something else.

    :param path: JSON with ``passed``, ``criteria`` (each with ``name`` and ``passed``), ``digest``
        (of the verifier that was measured), and, where it states them, ``files`` (sha256 by name).
    :param verifier: digest of the verifier that is to be frozen.
    :param files: sha256 of everything that is to be frozen, by name.
    :return: the sha256 of the report.
    :raises StationError: ENVIRONMENT_NOT_ACCEPTED; says why, and what to do.
    """
    if path is None or not Path(path).is_file():
        raise _refusal(f'there is no acceptance report {path or ""}'.rstrip())
    try:
        content = Path(path).read_bytes()
        report = json.loads(content)
    except (OSError, ValueError) as error:
        raise _refusal(f'the acceptance report {path} cannot be read ({error})') from error
    if not isinstance(report, dict):
        raise _refusal(f'{path} is no acceptance report')
    failed = _failed(report.get('criteria'))
    if failed:
        raise _refusal(f'the acceptance report {path} does not pass: {failed}')
    if report.get('passed') is not True:
        raise _refusal(f'the acceptance report {path} says that the environment did not pass')
    measured = report.get('digest')
    if measured != verifier:
        raise _refusal(
            f'the acceptance report {path} is about another judge ({str(measured)[:12]}) than the '
            f'one to be frozen ({verifier[:12]}): its code, settings or weights have changed since'
        )
    for name, digest in _files(report).items():
        if files.get(name) != digest:
            raise _refusal(f'{name} is not as it was when {path} was measured')
    return hashlib.sha256(content).hexdigest()


def _failed(criteria: Any) -> str:
    if not isinstance(criteria, list) or not criteria:
        return 'it lists no criteria'
    for number, criterion in enumerate(criteria, 1):
        if not isinstance(criterion, dict) or criterion.get('passed') is not True:
            known = isinstance(criterion, dict)
            name = criterion.get('name', number) if known else number
            reason = criterion.get('message', '') if known else ''
            return f'{name} is not met' + (f' ({reason})' if reason else '')
    return ''


def _files(report: Mapping[str, Any]) -> dict[str, str]:
    stated = report.get('files') or {}
    return stated if isinstance(stated, dict) else {'files': 'no mapping'}


def _refusal(reason: str) -> StationError:
    return StationError(ErrorCode.ENVIRONMENT_NOT_ACCEPTED, f'{reason}; {_HOW}')
