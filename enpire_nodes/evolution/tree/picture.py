"""The idea tree as a drawing: lanes and subjects on the left, rates and their bounds on the right.

Every idea has its row. The winning path is one thick line; ideas are drawn by their state: a ring
for the untested, a cross for dead ends, dots for the rest, larger as more is known in their
favour. An arrow names whom an idea borrows from. On the right, the dot is the success rate and
the line its 95 % interval.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
import numpy as np

from enpire_nodes.common.writing import write_atomically, write_json
from enpire_nodes.evolution.tree import theme
from enpire_nodes.evolution.tree.layout import arrange, Layout
from enpire_nodes.evolution.tree.model import Idea, IdeaState, IdeaTree
from enpire_nodes.rollout.record_json import to_json

_WIDTH = 11.0  # inches, of all drawings
_DPI = 110
_LANE = 0.17  # inches
_RATES = 2.6  # inches, the panel on the right
_EM = 0.6 / 72.0  # inches of a letter and point of type, about
_MONO = ['DejaVu Sans Mono', 'monospace']
_MARKERS = {
    IdeaState.UNTESTED: ('o', 5.0),
    IdeaState.DEAD: ('x', 4.6),
    IdeaState.ALIVE: ('o', 6.0),
    IdeaState.BETTER: ('o', 7.5),
    IdeaState.CONFIRMED: ('D', 7.0),
    IdeaState.MAIN: ('*', 15.0),
}
_NAMES = {
    IdeaState.MAIN: 'main',
    IdeaState.CONFIRMED: 'confirmed',
    IdeaState.BETTER: 'better, when repeated',
    IdeaState.ALIVE: 'alive',
    IdeaState.DEAD: 'dead end',
    IdeaState.UNTESTED: 'untested',
}


def tree_figure(tree: IdeaTree) -> Figure:
    """Draw a tree."""
    layout = arrange(tree)
    step, size = _scale(layout.rows)
    height = step * max(layout.rows, 1) + 1.15
    figure = Figure(figsize=(_WIDTH, height), facecolor=theme.PAPER)
    bottom, top = 0.5 / height, 1.0 - 0.65 / height
    split = 1.0 - _RATES / _WIDTH
    graph = figure.add_axes((0.01, bottom, split - 0.03, top - bottom))
    rates = figure.add_axes((split, bottom, _RATES / _WIDTH - 0.02, top - bottom))
    for axes in (graph, rates):
        axes.set_ylim(max(layout.rows, 1) - 0.5, -0.6)
    inches = (split - 0.03) * _WIDTH
    graph.set_xlim(-0.12, inches - 0.12)
    graph.axis('off')
    if not tree.ideas:
        graph.text(0.1, 0.0, 'no ideas yet', color=theme.SOFT, va='center')
    _edges(graph, tree, layout)
    _ideas(graph, tree, layout, size, inches)
    _rates(rates, tree, layout, size)
    _legend(figure, tree, height)
    return figure


def tree_image(tree: IdeaTree) -> np.ndarray:
    """Return the drawing, (h, w, 3) uint8 RGB."""
    figure = tree_figure(tree)
    canvas = FigureCanvasAgg(figure)
    figure.set_dpi(_DPI)
    canvas.draw()
    return np.ascontiguousarray(np.asarray(canvas.buffer_rgba())[..., :3])


def write_tree(tree: IdeaTree, folder: Path) -> None:
    """Write ``tree.svg``, ``tree.png`` and ``tree.json`` into a folder.

    :raises OSError: one cannot be written.
    """
    import cv2

    write_atomically(folder / 'tree.svg', theme.svg(tree_figure(tree)).encode())
    image = cv2.cvtColor(tree_image(tree), cv2.COLOR_RGB2BGR)
    write_atomically(folder / 'tree.png', cv2.imencode('.png', image)[1].tobytes())
    write_json(folder / 'tree.json', tree_data(tree))


def tree_data(tree: IdeaTree) -> dict[str, Any]:
    """Return a tree as JSON types."""
    winning = set(tree.winning)
    return {
        'root': tree.root,
        'target': to_json(tree.target),
        'problems': list(tree.problems),
        'ideas': [
            {
                **to_json(idea),
                'rate': to_json(idea.rate),
                'first_attempt_rate': to_json(idea.first_attempt_rate),
                'winning': idea.commit in winning,
            }
            for idea in tree.ideas.values()
        ],
    }


def _scale(rows: int) -> tuple[float, float]:
    """Return the height of a row in inches, and the size of the type."""
    step = float(np.interp(rows, [12, 60, 150], [0.32, 0.215, 0.165]))
    return step, float(np.interp(rows, [12, 60, 150], [9.5, 8.2, 7.0]))


def _edges(axes: Axes, tree: IdeaTree, layout: Layout) -> None:
    winning = set(tree.winning)
    for commit, place in layout.places.items():
        parent = tree.ideas[commit].parent
        if parent not in layout.places:
            continue
        above = layout.places[parent]
        start, end = above.lane * _LANE, place.lane * _LANE
        won = commit in winning
        style = {
            'color': theme.GREEN if won else theme.LINE,
            'linewidth': 3.2 if won else 1.3,
            'zorder': 2 if won else 1,
            'solid_capstyle': 'round',
        }
        if start == end:
            axes.plot([start, end], [above.row, place.row], **style)
        else:
            bend = place.row - 0.45
            axes.plot([start, start, end], [above.row, bend, place.row], **style)


def _ideas(axes: Axes, tree: IdeaTree, layout: Layout, size: float, inches: float) -> None:
    winning = set(tree.winning)
    start = layout.lanes * _LANE + 0.08
    words = start + 8.8 * _EM * (size - 1.2)
    letters = int((inches - words - 0.1) / (_EM * size))
    for commit, place in layout.places.items():
        idea, won = tree.ideas[commit], commit in winning
        _mark(axes, place.lane * _LANE, place.row, idea.state)
        faint = idea.state <= IdeaState.DEAD and not won
        axes.plot(
            [place.lane * _LANE + 0.11, start - 0.05], [place.row] * 2,
            color=theme.LINE, linewidth=0.5, zorder=0,
        )  # fmt: skip
        axes.text(
            start, place.row, commit[:7], fontsize=size - 1.2, color=theme.SOFT, va='center',
            family=_MONO,
        )  # fmt: skip
        lent = _lenders(idea)
        subject = axes.text(
            words, place.row, shortened(idea.subject, letters - len(lent) - 2), fontsize=size,
            parse_math=False,
            va='center', color=theme.SOFT if faint else theme.INK,
            weight='bold' if won else 'normal',
        )  # fmt: skip
        if lent:
            axes.annotate(
                lent, (1.0, 0.5), (6.0, 0.0), xycoords=subject, textcoords='offset points',
                va='center', fontsize=size - 1.2, color=theme.ORANGE, family=_MONO,
            )  # fmt: skip


def _lenders(idea: Idea) -> str:
    """Return whom an idea borrows from, shortly."""
    if not idea.borrowed:
        return ''
    more = f' +{len(idea.borrowed) - 1}' if len(idea.borrowed) > 1 else ''
    return f'\u21a4 {idea.borrowed[0][:7]}{more}'


def _mark(axes: Axes, x: float, y: float, state: IdeaState) -> None:
    marker, size = _MARKERS[state]
    colour = theme.STATES[state]
    axes.plot(
        [x], [y], marker, markersize=size, markeredgewidth=1.4,
        markeredgecolor=colour if state in (IdeaState.DEAD, IdeaState.UNTESTED) else theme.PAPER,
        markerfacecolor=theme.PAPER if state is IdeaState.UNTESTED else colour, zorder=4,
    )  # fmt: skip


def _rates(axes: Axes, tree: IdeaTree, layout: Layout, size: float) -> None:
    axes.set_xlim(-0.02, 1.42)
    axes.set_yticks([])
    for side in ('left', 'right', 'top', 'bottom'):
        axes.spines[side].set_visible(False)
    ticks = [0.0, 0.25, 0.5, 0.75, 1.0]
    axes.set_xticks(ticks, ['0', '', '50 %', '', '100 %'], fontsize=7.5, color=theme.SOFT)
    axes.tick_params(axis='x', length=0, labeltop=True, labelbottom=layout.rows > 25)
    for tick in ticks:
        axes.axvline(tick, color=theme.LINE, linewidth=0.6, zorder=0)
    if tree.target == tree.target:
        axes.axvline(tree.target, color=theme.ORANGE, linewidth=1.1, linestyle=(0, (4, 3)))
    winning = set(tree.winning)
    for commit, place in layout.places.items():
        idea = tree.ideas[commit]
        if not idea.trials:
            continue
        colour, won = theme.STATES[idea.state], commit in winning
        axes.plot(
            [idea.lower, idea.upper], [place.row] * 2, color=colour,
            linewidth=2.4 if won else 1.2, alpha=1.0 if won else 0.75, solid_capstyle='butt',
        )  # fmt: skip
        axes.plot([idea.rate], [place.row], 'o', color=colour, markersize=5.5 if won else 3.6)
        axes.text(
            1.42, place.row, f'{idea.successes} / {idea.trials}', fontsize=size - 0.8,
            ha='right', va='center', color=theme.INK if won else theme.SOFT,
        )  # fmt: skip


def _legend(figure: Figure, tree: IdeaTree, height: float) -> None:
    present = {idea.state for idea in tree.ideas.values()}
    marks = [_key(state) for state in _NAMES if state in present]
    if any(idea.borrowed for idea in tree.ideas.values()):
        arrow = {'marker': '<', 'color': theme.ORANGE, 'markersize': 5, 'linestyle': ''}
        marks.append(Line2D([], [], label='borrows from', **arrow))
    if tree.target == tree.target:
        dashes = {'color': theme.ORANGE, 'linewidth': 1.1, 'linestyle': (0, (4, 3))}
        marks.append(Line2D([], [], label=f'target {tree.target:.1%}', **dashes))
    if marks:
        figure.legend(
            handles=marks, loc='lower left', bbox_to_anchor=(0.005, 0.02 / height),
            ncols=len(marks), frameon=False, fontsize=8, labelcolor=theme.SOFT,
            handletextpad=0.3, columnspacing=1.3,
        )  # fmt: skip
    figure.text(
        0.012, 1.0 - 0.3 / height, _title(tree), fontsize=10.5, color=theme.INK, weight='bold',
        va='center',
    )  # fmt: skip
    figure.text(
        0.98, 1.0 - 0.17 / height, 'success rate, 95 % interval', fontsize=8, color=theme.SOFT,
        ha='right', va='center',
    )  # fmt: skip


def _key(state: IdeaState) -> Line2D:
    marker, size = _MARKERS[state]
    hollow = state in (IdeaState.DEAD, IdeaState.UNTESTED)
    return Line2D(
        [], [], linestyle='', marker=marker, markersize=size * 0.9, label=_NAMES[state],
        markeredgecolor=theme.STATES[state] if hollow else theme.PAPER, markeredgewidth=1.3,
        markerfacecolor=theme.PAPER if state is IdeaState.UNTESTED else theme.STATES[state],
    )  # fmt: skip


def _title(tree: IdeaTree) -> str:
    count = len(tree.ideas) - (tree.root in tree.ideas)
    dead = sum(idea.state is IdeaState.DEAD for idea in _others(tree))
    return f'{count} idea{"s" * (count != 1)}, {dead} dead end{"s" * (dead != 1)}'


def _others(tree: IdeaTree) -> Iterator[Idea]:
    return (idea for idea in tree.ideas.values() if idea.commit != tree.root)


def shortened(text: str, letters: int) -> str:
    """Return a text of at most so many letters, cut between words where that is possible."""
    text = ' '.join(''.join(c if c.isprintable() else ' ' for c in text).split())
    if len(text) <= letters:
        return text
    cut = text[: letters - 1]
    spaced = cut.rsplit(' ', 1)[0]
    return (spaced if len(spaced) > letters * 0.6 else cut).rstrip(' ,;:') + '…'
