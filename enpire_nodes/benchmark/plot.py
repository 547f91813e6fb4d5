"""The bench's result as a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from enpire_nodes.benchmark.evaluation import Evaluation, JITTER_GOAL, VERDICT_GOAL
from enpire_nodes.benchmark.report import stage_means
from enpire_nodes.benchmark.timing import TrialTiming
from enpire_nodes.bringup.table import NODES

_STAGES = {'reset': '#4c78a8', 'execute': '#f58518', 'verify': '#54a24b', 'between': '#bab0ac'}
#: By the first node of a process, so that two compositions can be compared.
_PROCESSES = dict(
    zip(NODES, ['#4c78a8', '#f58518', '#54a24b', '#e45756', '#72b7b2', '#b279a2', '#9d755d'])
)


def draw(path: Path, evaluation: Evaluation, *, title: str) -> None:
    """Draw trials, jitter, verdicts and processor shares into a PNG file.

    :raises OSError: it cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 7.5), layout='constrained')
    FigureCanvasAgg(figure)
    figure.suptitle(title)
    axes = figure.subplots(2, 2)
    _draw_trials(axes[0, 0], evaluation.trials)
    _draw_shares(axes[0, 1], evaluation.shares)
    _draw_distribution(
        axes[1, 0], evaluation.jitter, JITTER_GOAL, 'control period off 1/30 s at real time, ms'
    )
    _draw_distribution(
        axes[1, 1], evaluation.verdicts, VERDICT_GOAL, 'verdict after its last picture, ms'
    )
    figure.savefig(path, dpi=120)


def _draw_trials(axes: Any, trials: Mapping[str, Sequence[TrialTiming]]) -> None:
    axes.set_title('a trial, s of wall-clock by stage')
    named = [(name, timings) for name, timings in trials.items() if timings]
    for row, (_, timings) in enumerate(named):
        means = stage_means(timings)
        scale = means['wall'] / means['simulated'] if means['simulated'] else 0.0
        left = 0.0
        for stage, colour in _STAGES.items():
            width = max(0.0, means[stage] * scale)
            axes.barh(row, width, left=left, color=colour, label=stage if row == 0 else None)
            left += width
        axes.text(left, row, f' {means["wall"]:.2f}', va='center', fontsize=8)
    axes.set_yticks(range(len(named)), [name for name, _ in named])
    axes.invert_yaxis()
    axes.set_xlim(right=1.12 * max(axes.get_xlim()[1], 1.0))
    if named:
        axes.legend(fontsize=8, ncols=4, loc='upper center', bbox_to_anchor=(0.45, -0.08))


def _draw_shares(axes: Any, shares: Mapping[str, Mapping[str, float]]) -> None:
    axes.set_title('processor at real time, share of one core')
    for row, processes in enumerate(shares.values()):
        left = 0.0
        ordered = sorted(processes.items(), key=lambda item: -item[1])
        for name, share in ordered:
            axes.barh(row, share, left=left, color=_PROCESSES.get(name.split('+')[0]))
            if share > 0.04:
                axes.text(
                    left + share / 2, row, name.replace('+', '\n'), rotation=90, ha='center',
                    va='center', fontsize=6, color='white',
                )  # fmt: skip
            left += share
        axes.text(left, row, f' {left:.2f}', va='center', fontsize=8)
    axes.set_yticks(range(len(shares)), list(shares))
    axes.invert_yaxis()
    axes.set_xlim(right=1.12 * max(axes.get_xlim()[1], 0.1))


def _draw_distribution(axes: Any, seconds: Sequence[float], goal: float, title: str) -> None:
    axes.set_title(title)
    axes.axvline(goal, color='#e45756', linestyle='--', label=f'goal for p99: {goal:g} ms')
    values = np.sort(np.asarray(seconds, dtype=float) * 1e3)
    if values.size:
        shares = np.arange(1, values.size + 1) / values.size
        axes.step(values, 100.0 * shares, where='post', color='#4c78a8')
        axes.axhline(99.0, color='#bab0ac', linewidth=0.8)
    else:
        axes.text(0.5, 0.5, 'not measured', transform=axes.transAxes, ha='center')
    axes.set_ylabel('percent at most')
    axes.set_xlim(left=0.0)
    axes.legend(fontsize=8, loc='lower right')
