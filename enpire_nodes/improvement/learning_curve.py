"""The learning curve: success over robot time, with bounds that say how little is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from enpire_nodes.common.bounds import lower_bound, upper_bound


class Point(NamedTuple):
    """One trial: robot minutes until its end, and whether its first attempt succeeded."""

    minutes: float
    success: bool


class Window(NamedTuple):
    """Consecutive trials: their middle in robot minutes, rate, and one-sided 95 % bounds."""

    minutes: float
    rate: float
    lower: float
    upper: float
    trials: int


def windows(points: Sequence[Point], size: int) -> list[Window]:
    """Cut trials into blocks of ``size``; what is left at the end is a block if half as long.

    :param points: in the order of their minutes.
    """
    found = []
    for start in range(0, len(points), size):
        block = points[start : start + size]
        if len(block) < max(1, size // 2) and found:
            break
        wins, count = sum(point.success for point in block), len(block)
        found.append(
            Window(
                sum(point.minutes for point in block) / count,
                wins / count,
                lower_bound(wins, count),
                upper_bound(wins, count),
                count,
            )
        )
    return found


def draw_learning_curve(
    path: Path, series: Mapping[str, Sequence[Point]], *, size: int = 20, title: str = ''
) -> None:
    """Draw a line with its bounds for each series, as a PNG.

    :param series: trials by what to call them.
    :param size: trials in a block.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.0, 4.5), layout='constrained')
    axes = figure.subplots()
    for name, points in series.items():
        blocks = windows(sorted(points), size)
        if not blocks:
            continue
        minutes = [block.minutes for block in blocks]
        (line,) = axes.plot(
            minutes, [block.rate for block in blocks], marker='o', ms=3, label=name
        )
        axes.fill_between(
            minutes, [block.lower for block in blocks], [block.upper for block in blocks],
            color=line.get_color(), alpha=0.12, linewidth=0,
        )  # fmt: skip
    axes.set(
        xlabel='robot time [min]', ylabel=f'success at the first attempt, blocks of {size}',
        ylim=(-0.02, 1.02), title=title,
    )  # fmt: skip
    axes.grid(alpha=0.3)
    axes.spines[['top', 'right']].set_visible(False)
    if len(series) > 1:
        axes.legend(loc='upper left', bbox_to_anchor=(1.0, 1.0), frameon=False)
    figure.savefig(path, dpi=130)
