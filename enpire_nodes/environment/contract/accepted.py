"""Whether an acceptance report allows an environment to be frozen.

A report is a file that anybody can edit until it is frozen. What it claims is therefore derived
again from what it counts: requirements may not be weaker than the shipped ones, none may be left
out, and the bounds must follow from the counts. Who invents all of its numbers is not found out
here, but when somebody measures again: the report names its seeds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
import math
from pathlib import Path
from typing import Any

from enpire_nodes.common.bounds import lower_bound
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.environment.acceptance.criteria import check, Requirements, unchanged
from enpire_nodes.environment.acceptance.rates import FUSED, Rates
from enpire_nodes.environment.acceptance.report import parse
from enpire_nodes.environment.contract.files import NOT_MEASURED

_HOW = 'measure again (`enpire environment measure`), and freeze with its report'


def require_accepted(
    path: Path | None, *, task: str, verifier: str, files: Mapping[str, str]
) -> bytes:
    """Refuse a report that does not pass, or that is about something else.

    :param path: as ``enpire environment measure`` writes it.
    :param task: name of the task that is to be frozen.
    :param verifier: digest of the verifier that is to be frozen.
    :param files: sha256 of everything that is to be frozen, by name.
    :return: the report as it was read and judged.
    :raises StationError: ENVIRONMENT_NOT_ACCEPTED; says why, and what to do.
    """
    if path is None or not Path(path).is_file():
        raise _refusal(f'there is no acceptance report {path or ""}'.rstrip())
    try:
        content = Path(path).read_bytes()
        report = parse(content, path)
        problems = list(_problems(report))
        other_files = list(_other_files(report['files'], files))
        measured = str(report['digest'])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        why = f'{type(error).__name__}: {error}'
        raise _refusal(f'{path} cannot be read as an acceptance report ({why})') from error
    if problems:
        raise _refusal(f'the acceptance report {path} does not pass: {"; ".join(problems)}')
    if report['task'] != task:
        raise _refusal(f'the acceptance report {path} is of the task {report["task"]}')
    if measured != verifier:
        raise _refusal(
            f'the acceptance report {path} is about another judge ({measured[:12]}) than the one '
            f'to be frozen ({verifier[:12]}): its code, settings or weights have changed since'
        )
    if other_files:
        names = ', '.join(other_files[:5])
        raise _refusal(f'not as it was when {path} was measured: {names}')
    return content


def _problems(report: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a report does not show, in words."""
    stated = {criterion['name']: criterion for criterion in report['criteria']}
    missed = set()
    for required in (*check((), (), Requirements()), unchanged(())):
        criterion = stated.get(required.name)
        if criterion is None:
            yield f'it says nothing of {required.name}'
            continue
        value, limit = criterion['value'], required.limit
        known = isinstance(value, int | float) and math.isfinite(value)
        met = known and (value <= limit if required.at_most else value >= limit)
        if not met:
            relation = 'at most' if required.at_most else 'at least'
            shown = f'{value:.4g}' if known else value
            missed.add(required.name)
            yield f'{required.name} is {shown}, and must be {relation} {limit:g}'
    for name, criterion in stated.items():
        if criterion['passed'] is not True and name not in missed:
            yield f'{name} is not met ({criterion.get("message", "")})'
    if report['passed'] is not True and not missed:
        yield 'it says so itself'
    counted, resets = Rates.from_json(report['sources'][FUSED]), report['resets']
    for name, value in (
        ('episodes', counted.successes + counted.failures),
        ('false positives', counted.false_positive_bound),
        ('recall', counted.recall_bound),
        ('uncertain', counted.uncertain_bound),
        ('reset', lower_bound(resets['successes'], resets['resets'])),
    ):
        claimed = stated[name]['value'] if name in stated else value
        known = isinstance(claimed, int | float)
        if known and not math.isclose(claimed, value, rel_tol=1e-9, abs_tol=1e-12):
            yield f'{name} is given as {claimed}, but its counts say {value:.6g}'


def _other_files(measured: Mapping[str, str], frozen: Mapping[str, str]) -> Iterator[str]:
    """Yield files that were measured otherwise, and those that were not measured at all."""
    for name, digest in measured.items():
        if frozen.get(name) != digest:
            yield name
    for name in frozen:
        if name not in measured and not name.startswith(NOT_MEASURED):
            yield name


def _refusal(reason: str) -> StationError:
    return StationError(ErrorCode.ENVIRONMENT_NOT_ACCEPTED, f'{reason}; {_HOW}')
