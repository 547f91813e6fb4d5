"""The bench's result as tables for a person and as JSON for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
import math
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from enpire_nodes.benchmark.evaluation import Evaluation
from enpire_nodes.benchmark.figures import Figure
from enpire_nodes.benchmark.timing import outcomes, TrialTiming
from enpire_nodes.common.writing import write_json
from enpire_nodes.rollout.record_json import to_json

_MARKS = {True: '[green]reached[/]', False: '[red]not reached[/]', None: ''}


def print_report(
    console: Console,
    evaluation: Evaluation,
    *,
    machine: Mapping[str, Any],
    problems: Mapping[str, str],
    warning: str = '',
) -> None:
    """Print every figure beside its goal, and the tables behind them.

    :param problems: what could not be measured, and why.
    :param warning: about the conditions of the measurement.
    """
    console.print(
        f'\n{machine["processor"]}, {machine["cores"]} cores, Python {machine["python"]}'
    )
    if warning:
        console.print(warning, style='yellow', markup=False)
    console.print(figure_table(evaluation.figures))
    console.print(stage_table(evaluation.trials))
    if evaluation.shares:
        console.print(share_table(evaluation.shares, evaluation.memory))
    for note in evaluation.notes:
        console.print(note, style='yellow', markup=False)
    for what, why in problems.items():
        console.print(f'[red]not measured:[/] {escape(what)}: {escape(why)}')


def figure_table(figures: Sequence[Figure]) -> Table:
    """Return the table of the figures."""
    table = Table(title='What the suite costs', title_justify='left', show_lines=True)
    table.add_column('figure')
    for heading in ('measured', 'goal'):
        table.add_column(heading, justify='right', no_wrap=True)
    table.add_column('', no_wrap=True)
    for figure in figures:
        goal = '' if figure.goal is None else f'≤ {quantity(figure.goal, figure.unit)}'
        if figure.value is None:
            value, style, words = 'missing', 'yellow', figure.missing
        else:
            value, style, words = quantity(figure.value, figure.unit), 'dim', figure.detail
        name = Text.assemble(figure.name, ('\n' + words if words else '', style))
        table.add_row(name, value, goal, _MARKS[figure.reached])
    return table


def stage_table(trials: Mapping[str, Sequence[TrialTiming]]) -> Table:
    """Return where the time of a trial goes, side by side; means, in s."""
    table = Table(title='Where the time of a trial goes (means)', title_justify='left')
    table.add_column('')
    table.add_column('trials')
    for heading in ('wall s', 'station s', 'reset', 'execute', 'verify', 'between'):
        table.add_column(heading, justify='right')
    for name, timings in trials.items():
        if timings:
            means = stage_means(timings)
            table.add_row(name, outcomes(timings), *(f'{value:.2f}' for value in means.values()))
    return table


def stage_means(timings: Sequence[TrialTiming]) -> dict[str, float]:
    """Return the mean wall-clock of trials, and where the station's time went, in s."""

    def mean(name: str) -> float:
        return sum(getattr(timing, name) for timing in timings) / len(timings)

    means = {name: mean(name) for name in ('wall', 'simulated', 'reset', 'execute', 'verify')}
    return {**means, 'between': means['simulated'] - mean('stages')}


def share_table(
    shares: Mapping[str, Mapping[str, float]], memory: Mapping[str, Mapping[str, int]]
) -> Table:
    """Return processor and memory of every process, for each composition of nodes."""
    table = Table(title='Processes at real time', title_justify='left')
    table.add_column('nodes')
    table.add_column('process')
    for heading in ('share of a core', 'memory (PSS)'):
        table.add_column(heading, justify='right')
    for composition, processes in shares.items():
        for name, share in sorted(processes.items(), key=lambda item: -item[1]):
            size = memory.get(composition, {}).get(name)
            size_text = '' if size is None else f'{size / 1e6:.0f} MB'
            table.add_row(composition, name, f'{100 * share:.1f} %', size_text)
        table.add_section()
    return table


def quantity(value: float, unit: str) -> str:
    """Return a value with its unit, as precise as it makes sense."""
    if not math.isfinite(value):
        return '?'
    if unit == '':
        return f'{value:.0f}'
    digits = 1 if abs(value) >= 10 else 2
    return f'{value:.{digits}f} {unit}' if unit != 'x' else f'{value:.{digits}f} ×'


def write_report(
    path: Path,
    evaluation: Evaluation,
    *,
    machine: Mapping[str, Any],
    problems: Mapping[str, str],
    conditions: Mapping[str, Any],
) -> None:
    """Write everything to a JSON file.

    :param conditions: how the bench was run.
    :raises OSError: it cannot be written.
    """
    write_json(
        path,
        to_json(
            {
                'machine': dict(machine),
                'conditions': dict(conditions),
                'problems': dict(problems),
                'notes': evaluation.notes,
                'figures': [figure.plain() for figure in evaluation.figures],
                'trials': evaluation.trials,
                'losses': evaluation.losses,
                'processor_shares': evaluation.shares,
                'memory_bytes': evaluation.memory,
                'jitter_ms': [round(1e3 * value, 4) for value in evaluation.jitter],
                'verdict_ms': [round(1e3 * value, 4) for value in evaluation.verdicts],
            }
        ),
    )
