"""The drawings of a report beside the tree: progress, the station's time, tokens."""

from __future__ import annotations

from collections.abc import Iterator

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
import numpy as np

from enpire_nodes.evolution.accounting import tokens
from enpire_nodes.evolution.accounting.progress import curve, Point
from enpire_nodes.evolution.accounting.run_log import RunLog
from enpire_nodes.evolution.accounting.station_time import clipped, segments
from enpire_nodes.evolution.tree import theme
from enpire_nodes.rollout.records import Activity

_WIDTH = 9.6  # inches
_STRIPS = 400  # of the timeline: within one, the station's activities are stacked by share
_BINS = 120
_POINTS = 300  # of a curve
_CLASSES = {
    'cached': ('input from a cache', theme.LINE),
    'written': ('input into a cache', theme.SKY),
    'fresh': ('fresh input', theme.BLUE),
    'output': ('output', theme.ORANGE),
}
_ACTIVITIES = {
    Activity.RESETTING: 'resetting',
    Activity.EXECUTING: 'executing',
    Activity.VERIFYING: 'verifying',
    Activity.IDLE_WAITING_AGENT: 'waiting for the agent',
    Activity.IDLE_NO_WORK: 'idle',
    Activity.FAULTED: 'faulted',
    Activity.ESTOPPED: 'stopped',
    Activity.OFFLINE: 'offline',
}


def progress_figure(log: RunLog) -> Figure:
    """Draw how good the best recipe was known to be, against robot time, wall-clock and tokens."""
    figure = Figure(figsize=(_WIDTH, 3.5), facecolor=theme.PAPER)
    points = _thinned(curve(log))
    last = points[-1] if points else None
    worth = [
        ('robot minutes', [p.robot_seconds / 60.0 for p in points]),
        ('minutes of wall-clock', [p.seconds / 60.0 for p in points]),
        ('million tokens', [p.tokens / 1e6 for p in points]),
    ]
    if not log.calls:
        worth.pop()
    widths = [2.2, *([1.0] * (len(worth) - 1))]
    panels = figure.subplots(1, len(worth), sharey=True, width_ratios=widths)
    figure.subplots_adjust(left=0.06, right=0.985, top=0.9, bottom=0.16, wspace=0.08)
    for number, (axes, (name, values)) in enumerate(zip(panels, worth, strict=True)):
        _plain(axes)
        axes.set_ylim(0.0, 1.03)
        axes.set_yticks(np.linspace(0, 1, 5), ['0', '25 %', '50 %', '75 %', '100 %'])
        axes.tick_params(axis='y', labelleft=number == 0)
        axes.set_xlabel(name, color=theme.SOFT, fontsize=8.5)
        axes.axhline(log.campaign.target, color=theme.ORANGE, linewidth=1.1, linestyle=(0, (4, 3)))
        axes.set_xlim(0.0, (values[-1] if values else 1.0) * 1.02 or 1.0)
        if points:
            _step(axes, values, points, changes=number == 0)
    if last is not None:
        panels[0].text(
            0.01, log.campaign.target + 0.015, f'target {log.campaign.target:.1%}', fontsize=7.5,
            color=theme.ORANGE, transform=panels[0].get_yaxis_transform(), va='bottom',
        )  # fmt: skip
    return figure


def _thinned(points: list[Point]) -> list[Point]:
    """Leave points out that could not be told apart; none at which the best one changes."""
    every = 1 + len(points) // _POINTS
    return [
        point
        for number, point in enumerate(points)
        if number % every == 0
        or number == len(points) - 1
        or point.recipe != points[number - 1].recipe
        or point.recipe != points[number + 1].recipe
    ]


def _step(axes: Axes, values: list[float], points: list[Point], *, changes: bool) -> None:
    """Draw rate and bounds; mark where another recipe became the best."""
    axes.fill_between(
        values, [p.lower for p in points], [p.upper for p in points], step='post',
        color=theme.BAND, linewidth=0,
    )  # fmt: skip
    axes.step(values, [p.rate for p in points], where='post', color=theme.BLUE, linewidth=1.8)
    axes.step(values, [p.lower for p in points], where='post', color=theme.GREEN, linewidth=1.4)
    if not changes:
        return
    written = -1.0
    for value, point, before in zip(values[1:], points[1:], points, strict=False):
        if point.recipe == before.recipe:
            continue
        if value - written > values[-1] * 0.03:
            axes.axvline(value, color=theme.LINE, linewidth=0.8, zorder=0)
            axes.text(
                value, 0.02, f' {point.recipe[:7]}', rotation=90, fontsize=6.8, va='bottom',
                ha='right', color=theme.SOFT, family=['DejaVu Sans Mono', 'monospace'],
            )  # fmt: skip
            written = value


def timeline_figure(log: RunLog) -> Figure:
    """Draw what the station did, above what the model did, over the wall-clock."""
    length = max(1e-9, (log.end_ns - log.start_ns) / 1e9)
    figure = Figure(figsize=(_WIDTH, 1.75), facecolor=theme.PAPER)
    axes = figure.add_axes((0.075, 0.42, 0.91, 0.55))
    _plain(axes, grid=False)
    edges = np.linspace(0.0, length, _STRIPS + 1)
    shares = _shares(log, edges)
    shown = [activity for activity in _ACTIVITIES if shares[activity].any()]
    base = np.full(_STRIPS, 1.05)
    for activity in shown:
        top = base + 0.9 * shares[activity]
        axes.fill_between(
            edges / 60.0, _steps(base), _steps(top), step='post', linewidth=0,
            color=theme.ACTIVITIES[activity],
        )  # fmt: skip
        base = top
    calls = [(start / 60.0, (end - start) / 60.0) for start, end in _thinking(log)]
    axes.broken_barh(calls, (0.45, 0.45), facecolors=theme.ORANGE, linewidth=0)
    axes.set_ylim(0.35, 2.05)
    axes.set_yticks([1.5, 0.67], ['station', 'model'])
    axes.set_xlim(0.0, length / 60.0)
    axes.set_xlabel('minutes of wall-clock', color=theme.SOFT, fontsize=8.5)
    keys = [Patch(color=theme.ACTIVITIES[a], label=_ACTIVITIES[a]) for a in shown]
    if calls:
        keys.append(Patch(color=theme.ORANGE, label='a model call under way'))
    figure.legend(
        handles=keys, loc='lower left', bbox_to_anchor=(0.065, -0.03), ncols=max(1, len(keys)),
        frameon=False, fontsize=7.5, labelcolor=theme.SOFT, handlelength=1.0, handleheight=0.8,
        columnspacing=1.2,
    )  # fmt: skip
    return figure


def _shares(log: RunLog, edges: np.ndarray) -> dict[Activity, np.ndarray]:
    """Return what share of each strip the station spent in each activity, (strips,) each."""
    spans = segments(clipped(log.intervals, log.start_ns, log.end_ns), log.start_ns)
    found = {}
    for activity in _ACTIVITIES:
        own = [span for span in spans if span.activity is activity]
        starts = np.array([span.start for span in own])
        lengths = np.array([span.end - span.start for span in own])
        passed = np.clip(edges[:, None] - starts, 0.0, lengths).sum(axis=1)
        found[activity] = np.diff(passed) / np.diff(edges)
    return found


def _steps(values: np.ndarray) -> np.ndarray:
    return np.append(values, values[-1])


def _thinking(log: RunLog) -> Iterator[tuple[float, float]]:
    """Yield the spans in which a call was under way, s since the begin."""
    span: tuple[int, int] | None = None
    for call in sorted(log.calls, key=lambda call: call.start_ns):
        if span is not None and call.start_ns <= span[1] + 10**9:
            span = (span[0], max(span[1], call.end_ns))
            continue
        if span is not None:
            yield tuple((at - log.start_ns) / 1e9 for at in span)
        span = (call.start_ns, call.end_ns)
    if span is not None:
        yield tuple((at - log.start_ns) / 1e9 for at in span)


def tokens_figure(log: RunLog) -> Figure:
    """Draw tokens a minute by class, and their sums."""
    end_ns = max(log.end_ns, log.start_ns + 10**9)  # one that was refused at once has no length
    seconds = (end_ns - log.start_ns) / 1e9
    binned = tokens.series(log.calls, log.start_ns, end_ns, step=seconds / _BINS)
    middles = (np.arange(_BINS) + 0.5) * binned.step / 60.0
    figure = Figure(figsize=(_WIDTH, 2.9), facecolor=theme.PAPER)
    rate, whole = figure.subplots(1, 2, width_ratios=[2.2, 1.0])
    figure.subplots_adjust(left=0.075, right=0.985, top=0.86, bottom=0.18, wspace=0.22)
    minute, total = binned.per_minute(), binned.cumulative()
    bottom, summed = np.zeros(_BINS), np.zeros(_BINS)
    for name, (label, colour) in _CLASSES.items():
        values, sums = minute[name][:_BINS] / 1e3, total[name][:_BINS] / 1e6
        rate.bar(
            middles, values, binned.step / 60.0, bottom=bottom, color=colour, label=label,
            linewidth=0,
        )  # fmt: skip
        whole.fill_between(middles, summed, summed + sums, color=colour, linewidth=0)
        bottom, summed = bottom + values, summed + sums
    for axes, name in ((rate, 'thousand tokens a minute'), (whole, 'million tokens, summed')):
        _plain(axes)
        axes.set_title(name, fontsize=8.5, color=theme.SOFT, loc='left')
        axes.set_xlabel('minutes of wall-clock', color=theme.SOFT, fontsize=8.5)
        axes.set_xlim(0.0, seconds / 60.0)
        axes.set_ylim(bottom=0.0)
    figure.legend(
        *rate.get_legend_handles_labels(), loc='upper right', bbox_to_anchor=(0.99, 1.02),
        ncols=4, frameon=False, fontsize=7.5, labelcolor=theme.SOFT, handlelength=1.0,
    )  # fmt: skip
    return figure


def _plain(axes: Axes, *, grid: bool = True) -> None:
    axes.set_facecolor(theme.PAPER)
    for side in ('top', 'right', 'left'):
        axes.spines[side].set_visible(False)
    axes.spines['bottom'].set_color(theme.LINE)
    axes.tick_params(colors=theme.SOFT, labelsize=8, length=0)
    if grid:
        axes.grid(axis='y', color=theme.LINE, linewidth=0.6)
        axes.set_axisbelow(True)
