"""Views of the station as short text."""

from __future__ import annotations

from collections.abc import Sequence
import math
from typing import Any

from enpire_nodes.evolution.desk.views import ArmView, BudgetLine, HistoryView, IdeaView, JobView

_SHOWN = 20  # ideas of the history, the newest


def table(rows: Sequence[Sequence[str]], header: Sequence[str]) -> list[str]:
    """Return rows in columns of the width that they need; the last one may be long."""
    widths = [max(len(row[place]) for row in [header, *rows]) for place in range(len(header))]
    widths[-1] = 0
    return [
        '  '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in [header, *rows]
    ]


def job_lines(job: JobView) -> list[str]:
    """Return where a job stands, and what its arms have achieved."""
    line = f'{job.job_id} {job.kind} {job.state}: {job.done} of {job.trials} trials'
    if not job.ended:
        line += f', {job.ahead} before it' if job.ahead else ''
        line += '' if math.isnan(job.seconds_left) else f', about {job.seconds_left:.0f} s left'
    lines = [line, *(f'  {_arm(arm)}' for arm in job.arms)]
    if not math.isnan(job.p_value):
        lines.append(f'  p = {job.p_value:.3f} for there being no difference')
    if job.message:
        lines.append(f'  {job.message}')
    return lines


def _arm(arm: ArmView) -> str:
    counts = f'{arm.successes}/{arm.trials}'
    first = f' ({arm.first_attempt_successes} at once)' if arm.successes else ''
    out = f', {arm.excluded} left out' if arm.excluded else ''
    bounds = f' [{_percent(arm.lower)}, {_percent(arm.upper)}]' if arm.trials else ''
    return f'{arm.commit[:10] or "station":10}  {counts}{first}{out}{bounds}  {arm.idea[:80]}'


def history_lines(history: HistoryView, *, everything: bool = False) -> list[str]:
    """Return what was tried, oldest first."""
    ideas = history.ideas if everything else history.ideas[-_SHOWN:]
    lines = table(
        [_idea(idea, history) for idea in ideas],
        ('commit', 'state', 'k/n', '95 %', 'effect', 'p', 'idea'),
    )
    if len(ideas) < len(history.ideas):
        lines.append(f'({len(history.ideas) - len(ideas)} older ones: `enpire history --all`)')
    lines.append(
        f'* main {history.incumbent[:10] or "-"}, + best so far {history.best[:10] or "-"}'
    )
    lines.append(f'ideas since the last improvement: {history.plateau}')
    if history.near_misses:
        near = ', '.join(commit[:10] for commit in history.near_misses)
        lines.append(f'near misses, worth more trials: {near}')
    return lines


def _idea(idea: IdeaView, history: HistoryView) -> tuple[str, ...]:
    mark = '*' * (idea.commit == history.incumbent) + '+' * (idea.commit == history.best)
    tried = bool(idea.trials)
    return (
        (idea.short or idea.commit[:10]) + mark,
        idea.state,
        f'{idea.successes}/{idea.trials}' if tried else '-',
        f'{_percent(idea.lower)}-{_percent(idea.upper)}' if tried else '-',
        _effect(idea),
        '-' if math.isnan(idea.p_value) else f'{idea.p_value:.2f}',
        f'{idea.subject[:90]}' + (f' ({idea.station})' if idea.station else ''),
    )


def _effect(idea: IdeaView) -> str:
    if math.isnan(idea.effect):
        return '-'
    text = f'{100 * idea.effect:+.0f}'
    if math.isnan(idea.effect_lower) or math.isnan(idea.effect_upper):
        return text
    return f'{text} [{100 * idea.effect_lower:+.0f}, {100 * idea.effect_upper:+.0f}]'


def budget_lines(lines: Sequence[BudgetLine]) -> list[str]:
    """Return what was used of every budget, and what is left."""
    rows = [
        (
            line.name,
            f'{line.used:,.6g}',
            f'{line.limit:,.6g}' if line.limit else 'no limit',
            f'{max(0.0, line.limit - line.used):,.6g}' if line.limit else '-',
            line.unit,
        )
        for line in lines
    ]
    return table(rows, ('budget', 'used', 'limit', 'left', 'unit'))


def status_lines(status: dict[str, Any]) -> list[str]:
    """Return a mapping as lines, one a key; nested ones in one line each."""
    return [f'{key}: {_flat(value)}' for key, value in status.items() if key != 'next']


def _flat(value: Any) -> str:
    if isinstance(value, dict):
        return ', '.join(f'{key} {_flat(item)}' for key, item in value.items()) or '-'
    if isinstance(value, list):
        return '; '.join(_flat(item) for item in value) or '-'
    if isinstance(value, float):
        return f'{value:.4g}'
    return '-' if value in (None, '') else str(value)


def _percent(share: float) -> str:
    return '-' if math.isnan(share) else f'{100 * share:.0f}'
