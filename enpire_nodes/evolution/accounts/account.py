"""A trial in at most some forty lines: where it started, touched, went and ended, and why."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from enpire_nodes.evolution.accounts.motion import Motion
from enpire_nodes.evolution.accounts.reasons import attempt_reason, offset_words, why
from enpire_nodes.improvement.bags import attempt_traces
from enpire_nodes.rollout.records import AttemptRecord, TrialRecord

_ROWS = 12  # of the table of an attempt that is told alone
_TOLD = 3  # attempts of a trial that are told in full: the first, and the last ones
_LINE = 160  # characters
_HEADER = (
    '     t s |     tip seen, mm     | commanded - tool, mm |       force, N       | '
    'depth by the tool, mm'
)


def account(record: TrialRecord, bag: Path | None) -> str:
    """Return what happened in a trial.

    :param bag: its directory; what cannot be read of it is said, and left out.
    """
    motions, trouble = _motions(record, bag)
    lines = [_title(record)]
    if record.reset_recoveries:
        lines.append(f'the reset had to recover: {", ".join(record.reset_recoveries)}')
    if trouble:
        lines.append(trouble)
    full = _chosen(record)
    for attempt in record.attempts:
        motion = motions.get(attempt.index)
        if attempt.index in full:
            lines += _told(record, attempt, motion, _ROWS // len(full))
        else:
            verdict = attempt.verdict.outcome.name.lower()
            reason = attempt_reason(record.task, attempt, motion)
            lines.append(f'attempt {attempt.index}: {verdict}: {reason}')
    reason = why(record, motions)
    lines += [f'why: {reason}'] if reason else []
    return '\n'.join(_cut(line) for line in lines)


def reason(record: TrialRecord, bag: Path | None) -> str:
    """Return in a line why a trial did not succeed."""
    motions, _ = _motions(record, bag)
    return _cut(why(record, motions) or record.outcome.name.lower())


def _motions(record: TrialRecord, bag: Path | None) -> tuple[dict[int, Motion], str]:
    if not any(attempt.steps for attempt in record.attempts):
        return {}, ''
    if bag is None or not Path(bag).is_dir():
        return {}, 'its bag is gone: what follows is from the record alone'
    try:
        traces = attempt_traces(Path(bag), {})
        motions = {index: Motion.of(rows) for index, rows in traces.items() if rows}
    except Exception as error:  # noqa: BLE001 - damage raises whatever the reader raises, and is told
        return {}, f'its bag cannot be read ({type(error).__name__}: {error})'
    return motions, '' if motions else 'its bag does not hold what the policy was told'


def _title(record: TrialRecord) -> str:
    k = f'attempt {len(record.attempts)} of at most {record.max_attempts}'
    return (
        f'trial {record.trial_id}: {record.outcome.name} after {k}; {record.controller}'
        f'{" " + record.commit[:10] if record.commit else ""}; robot {record.robot_seconds:.0f} s'
    )


def _chosen(record: TrialRecord) -> set[int]:
    indices = [attempt.index for attempt in record.attempts]
    return set(indices[:1] + indices[1:][-(_TOLD - 1) :])


def _told(
    record: TrialRecord, attempt: AttemptRecord, motion: Motion | None, rows: int
) -> list[str]:
    lines = [f'attempt {attempt.index}{_moments(record, attempt)}']
    if motion is not None:
        lines += [*_start(motion), _HEADER, *_table(motion, rows)]
    ended = attempt.execution.name.lower().replace('_', ' ')
    lines.append(
        f'  ended: {ended} after {attempt.duration:.1f} s ({attempt.message}); peak force '
        f'{attempt.peak_force:.1f} N; tool went down by {attempt.depth * 1e3:.1f} mm'
        + (f'; {attempt.deadline_misses} deadlines missed' if attempt.deadline_misses else '')
    )
    for vote in attempt.verdict.votes:
        lines.append(f'  {vote.source}: {vote.verdict.name} {vote.score:.2f}: {vote.reason}')
    lines.append(f'  verdict: {attempt.verdict.outcome.name} {attempt.verdict.score:.2f}')
    if attempt.index != record.attempts[-1].index:
        lines.append(f'  why: {attempt_reason(record.task, attempt, motion)}')
    return lines


def _moments(record: TrialRecord, attempt: AttemptRecord) -> str:
    """Say where in the trial's pictures an attempt is."""
    whole = record.end_ns - record.start_ns
    if whole <= 0 or not attempt.start_ns:
        return ''
    first = (attempt.start_ns - record.start_ns) / whole
    last = first + attempt.duration * 1e9 / whole
    if not 0.0 <= first <= last <= 1.0:
        return ''
    return f' (pictures: --moment {first:.2f} to {last:.2f})'


def _start(motion: Motion) -> list[str]:
    lines = []
    if motion.sighted:
        height = motion.tip[0, 2] * 1e3
        lines.append(f'  start: tip {offset_words(motion.tip[0])}, {height:.1f} mm above the goal')
    if motion.touch is None:
        return [*lines, '  touch: none']
    at, place = motion.touch, motion.tip[motion.touch]
    where = f'{offset_words(place)}, z {place[2] * 1e3:+.1f} mm' if motion.sighted else ''
    return [*lines, f'  touch: t {motion.time[at]:.2f} s, {where}, {motion.press[at]:.1f} N']


def _table(motion: Motion, rows: int) -> list[str]:
    """Thin the motion evenly, but keep the touch, the peak of the force, and the deepest point."""
    count = len(motion.time)
    places = {round(place) for place in np.linspace(0, count - 1, min(count, max(rows - 3, 2)))}
    marks = {motion.touch: 'touch'} if motion.touch is not None else {}
    for values, name in ((motion.press, 'peak'), (motion.depth, 'deepest')):
        if np.isfinite(values).any():
            place = int(np.nanargmax(values))
            marks[place] = f'{marks[place]}, {name}' if place in marks else name
    return [_row(motion, place, marks.get(place, '')) for place in sorted(places | set(marks))]


def _row(motion: Motion, place: int, mark: str) -> str:
    shown = [
        _three(motion.tip[place] * 1e3),
        _three((motion.target[place] - motion.tool[place]) * 1e3),
        _three(motion.force[place]),
    ]
    time = f'{motion.time[place]:8.2f}'
    return f'{time} | {" | ".join(shown)} | {_one(motion.depth[place] * 1e3):>7} {mark}'.rstrip()


def _three(values: np.ndarray) -> str:
    return ' '.join(f'{_one(value):>6}' for value in values)


def _one(value: float) -> str:
    return f'{value:.1f}' if np.isfinite(value) else '-'


def _cut(line: str) -> str:
    flat = ' '.join(line.splitlines())
    return flat if len(flat) <= _LINE * 2 else flat[: _LINE * 2 - 3] + '...'
