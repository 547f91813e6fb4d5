"""What each route of the trial socket does; every function blocks, and runs in a thread."""

from __future__ import annotations

from typing import Any

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.evolution.accounts import account, clip, picture, reason
from enpire_nodes.evolution.desk.interface import Desk
from enpire_nodes.evolution.desk.views import JobView
from enpire_nodes.rollout.records import TrialRecord

_FULL = 3  # accounts of a job that are told in full
_SHORT = 8  # more of its failures, in a line each; every one takes reading a bag


def trial_log(desk: Desk, trial_id: str) -> str:
    """Return the account of a trial."""
    return account(desk.trial(trial_id), desk.bag(trial_id))


def trial_picture(desk: Desk, trial_id: str, camera: str, moment: float) -> bytes:
    """Return a PNG of what a camera saw at a share of the trial's length."""
    return picture(desk.bag(trial_id), camera, moment)


def trial_clip(desk: Desk, trial_id: str, camera: str) -> tuple[bytes, str]:
    """Return a moving picture of a trial, and its media type."""
    return clip(desk.bag(trial_id), camera)


def job_log(desk: Desk, job: JobView) -> str:
    """Return what went wrong in a job: the newest failures in full, others in a line each."""
    lines: list[str] = []
    for arm in job.arms:
        records = [desk.trial(trial_id) for trial_id in arm.trial_ids]
        failed = [record for record in records if not record.success][::-1]
        lines.append(
            f'# {arm.commit[:10] or "station"} {arm.idea}: {len(failed)} of {len(records)} '
            'trials did not succeed' + (', the newest first' if failed else '')
        )
        full = max(1, _FULL // len(job.arms))
        lines += [_told(desk, record) for record in failed[:full]]
        rest = failed[full : full + _SHORT]
        lines += [f'{record.trial_id}: {_reason(desk, record)}' for record in rest]
        if len(failed) > full + _SHORT:
            lines.append(f'... and {len(failed) - full - _SHORT} older ones')
    return '\n'.join(lines)


def _told(desk: Desk, record: TrialRecord) -> str:
    return account(record, _bag(desk, record))


def _reason(desk: Desk, record: TrialRecord) -> str:
    return reason(record, _bag(desk, record))


def _bag(desk: Desk, record: TrialRecord) -> Any:
    try:
        return desk.bag(record.trial_id)
    except StationError as error:
        if error.code is not ErrorCode.SUPERVISOR_JOB_UNKNOWN:
            raise
        return None  # the account says that there is no bag
