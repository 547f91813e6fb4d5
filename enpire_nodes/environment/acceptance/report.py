"""The acceptance report: JSON that a freeze asks for, and that a person can read as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
import json
from pathlib import Path
from typing import Any

import numpy as np

from enpire_nodes.common.bounds import lower_bound
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.writing import write_json
from enpire_nodes.environment.acceptance.criteria import check, Requirements, unchanged
from enpire_nodes.environment.acceptance.judged import Judged, ResetTried
from enpire_nodes.environment.acceptance.rates import rates, sources

_VERSION = 1
_LISTED = 500  # wrong episodes that are listed one by one


def build(
    episodes: Sequence[Judged],
    resets: Sequence[ResetTried],
    *,
    required: Requirements,
    task: str,
    digest: str,
    files: Mapping[str, str],
    about: Mapping[str, Any],
    changed: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the report as JSON types.

    :param digest: of the verifier that was measured.
    :param files: sha256 by name of everything that the figures depend on.
    :param about: what else should be on record: when, by whom, versions, seconds it took.
    :param changed: names of files that changed while it was measured; one is too many.
    """
    made = [*check(episodes, resets, required), unchanged(changed)]
    criteria = [criterion.to_json() for criterion in made]
    said = sources(episodes)
    kinds = dict.fromkeys(sorted({one.kind for one in episodes}, key=_successes_first(episodes)))
    wrong = [one for one in episodes if one.wrong]
    return {
        'version': _VERSION,
        'task': task,
        'passed': all(criterion['passed'] for criterion in criteria),
        'criteria': criteria,
        'required': asdict(required),
        'digest': digest,
        'files': dict(files),
        **about,
        'episodes': len(episodes),
        'simulated': _seeds([one for one in episodes if one.case.path is None]),
        'recorded': [str(one.case.path) for one in episodes if one.case.path is not None],
        'sources': {
            name: {
                **rates(episodes, who).to_json(),
                'kinds': {
                    kind: rates([one for one in episodes if one.kind == kind], who).to_json()
                    for kind in kinds
                },
            }
            for name, who in said.items()
        },
        'redraws': {
            kind: sum(one.redraws for one in episodes if one.kind == kind) for kind in kinds
        },
        'latency': _latency(episodes),
        'resets': _resets(resets),
        'wrong': [one.to_json() for one in wrong[:_LISTED]],
        'wrong_not_listed': max(0, len(wrong) - _LISTED),
    }


def write(report: Mapping[str, Any], path: Path) -> None:
    """Write a report, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, report)


def read(path: Path) -> dict[str, Any]:
    """Read a report.

    :raises StationError: ENVIRONMENT_NOT_ACCEPTED, there is none, or it is none.
    """
    try:
        return parse(path.read_bytes(), path)
    except OSError as error:
        raise _no_report(path, error.strerror) from error


def parse(content: bytes, path: Path) -> dict[str, Any]:
    """Return the report that the bytes of a file are.

    :param path: of that file, for errors.
    :raises StationError: ENVIRONMENT_NOT_ACCEPTED, they are none.
    """
    try:
        report = json.loads(content)
        if report['version'] != _VERSION:
            raise ValueError(f'its version is {report["version"]}, not {_VERSION}')
    except (ValueError, KeyError, TypeError) as error:
        raise _no_report(path, str(error)) from error
    return report


def _no_report(path: Path, reason: str) -> StationError:
    return StationError(
        ErrorCode.ENVIRONMENT_NOT_ACCEPTED,
        f'{path} is no acceptance report ({reason}); make one by `enpire environment measure`',
    )


def _seeds(episodes: Sequence[Judged]) -> dict[str, Any]:
    seeds = [one.case.seed for one in episodes]
    return {
        'episodes': len(seeds),
        'first_seed': min(seeds, default=None),
        'last_seed': max(seeds, default=None),
    }


def _latency(episodes: Sequence[Judged]) -> dict[str, float]:
    seconds = [one.seconds for one in episodes]
    p50, p99, worst = (float(np.percentile(seconds, percent)) for percent in (50, 99, 100))
    return {'p50': p50, 'p99': p99, 'worst': worst}


def _resets(resets: Sequence[ResetTried]) -> dict[str, Any]:
    done = [one.seconds for one in resets if one.success]
    by_placement = {}
    for placement in dict.fromkeys(one.placement for one in resets):
        these = [one for one in resets if one.placement == placement]
        by_placement[placement] = {
            'resets': len(these),
            'successes': sum(one.success for one in these),
        }
    seeds = [one.seed for one in resets]
    return {
        'resets': len(resets),
        'successes': len(done),
        'bound': lower_bound(len(done), len(resets)),
        'seconds_p50': float(np.percentile(done, 50)) if done else None,
        'seconds_p95': float(np.percentile(done, 95)) if done else None,
        'first_seed': min(seeds, default=None),
        'last_seed': max(seeds, default=None),
        'placements': by_placement,
        'failed': [asdict(one) for one in resets if not one.success],
    }


def _successes_first(episodes: Sequence[Judged]) -> Any:
    labels = {one.kind: one.label for one in episodes}
    return lambda kind: (not labels[kind], kind)
