"""Why an attempt failed, in one sentence: simple rules over what was measured.

A task whose plug-in has a function ``explain(attempt, motion)`` is asked first (``attempt`` is an
:class:`~enpire_nodes.rollout.records.AttemptRecord`, ``motion`` a
:class:`~enpire_nodes.evolution.accounts.motion.Motion` or None); it answers with a sentence, or
with '' when the rules here shall say it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
import re

import numpy as np

from enpire_nodes.common.errors import StationError
from enpire_nodes.evolution.accounts.motion import Motion
from enpire_nodes.rollout.records import (
    AttemptRecord,
    Execution,
    TrialOutcome,
    TrialRecord,
    VerdictOutcome,
)
from enpire_nodes.tasks.registry import load_task

_PRESSING = 8.0  # N, over the last third of an attempt: it pushes on something
_STUCK = 0.002  # m, by which it got deeper while it pushed
_SLIPPED = 0.004  # m, that the object was pushed up in the hand
_CLOSED = 0.003  # m, by which the fingers closed: the object slipped out of them
_TILTED = re.compile(r'tilted (\d+) deg')
_ASKEW = 25  # degrees, in any camera's words
_NOT_THE_POLICY = {
    TrialOutcome.RESET_FAILED: 'the scene could not be reset',
    TrialOutcome.INTERRUPTED: 'the station stopped in the middle',
    TrialOutcome.CANCELED: 'it was canceled',
    TrialOutcome.FAULTED: 'the station faulted',
}


def why(record: TrialRecord, motions: dict[int, Motion]) -> str:
    """Return why a trial did not succeed; '' when it did, or has not ended."""
    if record.success or not record.closed:
        return ''
    if record.infrastructure or (record.outcome in _NOT_THE_POLICY and not record.judged):
        what = _NOT_THE_POLICY.get(record.outcome, 'a cause outside the policy')
        return f'infrastructure, not the policy: {what}: {record.message}'
    if not record.attempts:
        return f'no attempt was made: {record.message}'
    last = record.attempts[-1]
    return attempt_reason(record.task, last, motions.get(last.index))


def attempt_reason(task: str, attempt: AttemptRecord, motion: Motion | None) -> str:
    """Return why an attempt did not succeed, or how it did."""
    explain = _hook(task)
    return (explain(attempt, motion) if explain else '') or _rules(attempt, motion)


def _rules(attempt: AttemptRecord, motion: Motion | None) -> str:
    if attempt.verdict.outcome is VerdictOutcome.SUCCESS:
        return 'it succeeded'
    if attempt.execution is Execution.UNSAFE:
        return f'stopped by the safety gate: {attempt.message}'
    if attempt.execution in (Execution.ABORTED, Execution.CANCELED):
        return f'the policy did not get to its end: {attempt.message}'
    said = [_disagreement(attempt), _object(attempt, motion), *_course(motion)]
    if attempt.execution is Execution.TIMED_OUT:
        said.append('its time was up')
    return '; '.join(words for words in said if words) or attempt.message or 'nothing tells why'


def _disagreement(attempt: AttemptRecord) -> str:
    if attempt.verdict.outcome is not VerdictOutcome.UNCERTAIN:
        return ''
    votes = ', '.join(f'{v.source} {v.verdict.name.lower()}' for v in attempt.verdict.votes)
    return f'the judges disagree ({votes or attempt.verdict.message}), which is no success'


def _object(attempt: AttemptRecord, motion: Motion | None) -> str:
    """Say what became of the thing in the hand."""
    if motion is not None and np.isfinite(motion.width[[0, -1]]).all():
        closed = motion.width[0] - motion.width[-1]
        if closed > _CLOSED:
            return f'it slipped out of the fingers, which closed by {closed * 1e3:.0f} mm'
    reasons = [vote.reason for vote in attempt.verdict.votes]
    tilts = [int(found) for reason in reasons for found in _TILTED.findall(reason)]
    if tilts and max(tilts) >= _ASKEW:
        return f'it stands askew, by {max(tilts)} deg'
    return ''


def _course(motion: Motion | None) -> list[str]:
    """Say where it touched, and what came of pushing there."""
    if motion is None or not (np.isfinite(motion.press).any() and np.isfinite(motion.depth).any()):
        return []
    if motion.touch is None:
        lowest = float(np.nanmax(motion.depth))
        where = (
            f'; it came down to {-lowest * 1e3:.1f} mm above the goal' if motion.sighted else ''
        )
        return [f'it never touched anything{where}']
    said = []
    if motion.sighted:
        said.append(f'touched {offset_words(motion.tip[motion.touch])}{_slide(motion)}')
    said.append(_pushing(motion))
    return said


def _slide(motion: Motion) -> str:
    start, end = motion.aside(motion.touch), motion.aside(-1)
    nearest = float(np.hypot(*motion.tip[motion.touch :, :2].T).min())
    if nearest > start - 0.001 and end > start + 0.002:
        return f' and slid away, to {end * 1e3:.1f} mm'
    if end > nearest + 0.002:
        return f', came as near as {nearest * 1e3:.1f} mm and slid past, to {end * 1e3:.1f} mm'
    return ''


def _pushing(motion: Motion) -> str:
    deepest = float(np.nanmax(motion.depth))
    tail = slice(len(motion.time) - max(1, len(motion.time) // 3), None)
    press = float(np.mean(motion.press[tail]))
    gained = float(np.max(motion.depth[tail]) - motion.depth[tail][0])
    below = 'below the goal' if motion.sighted else 'below its start'
    if press >= _PRESSING and gained < _STUCK:
        return f'jammed: pushed with {press:.0f} N at the end and got no deeper'
    if motion.slipped > _SLIPPED:
        return (
            f'it was pushed up in the fingers by about {motion.slipped * 1e3:.0f} mm: the tool '
            'went down, the tip stayed outside'
        )
    if motion.sighted and deepest > 0.003:
        return f'went {deepest * 1e3:.1f} mm {below}, and no further'
    return 'stayed on the surface' if motion.sighted else ''


def offset_words(place: np.ndarray) -> str:
    """Return how far off the goal a place (3,) is, and to which sides, in mm."""
    x, y = (float(value) * 1e3 for value in place[:2])
    return f'{np.hypot(x, y):.1f} mm off ({x:+.1f} x, {y:+.1f} y)'


@cache
def _hook(task: str) -> Callable[[AttemptRecord, Motion | None], str] | None:
    try:
        return getattr(load_task(task), 'explain', None)
    except (KeyError, StationError):  # a run of a task that is not installed here
        return None
