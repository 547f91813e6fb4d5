"""A station in the terminal: a live view where there is a screen, lines where there is none."""

from __future__ import annotations

from collections.abc import Callable
import math
from types import TracebackType
from typing import Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from enpire_msgs.msg import ResetStatistics, StationState, Trial, Verdict, Vote
from enpire_nodes.cli.board import Board

_REFRESH = 5  # Hz
_STATE_STYLES = {
    StationState.RESETTING: 'cyan',
    StationState.EXECUTING: 'bold green',
    StationState.VERIFYING: 'magenta',
    StationState.FAULTED: 'bold red',
    StationState.ESTOPPED: 'bold white on red',
    StationState.OFFLINE: 'yellow',
}
_OUTCOME_STYLES = {
    Trial.SUCCESS: 'green',
    Trial.FAILURE: 'yellow',
    Trial.UNCERTAIN: 'magenta',
    Trial.CANCELED: 'dim',
}
_MARKS = {Verdict.SUCCESS: '✓', Verdict.FAILURE: '✗', Verdict.UNCERTAIN: '?'}
_MARK_STYLES = {Verdict.SUCCESS: 'green', Verdict.FAILURE: 'red', Verdict.UNCERTAIN: 'magenta'}


class View(Protocol):
    """Shows a board again and again; a context manager."""

    def __enter__(self) -> View: ...

    def __exit__(self, *_: object) -> None: ...

    def show(self, board: Board) -> None:
        """Show what is new."""


def make_view(console: Console, title: str = '', *, seen: int = 0) -> View:
    """Return the view that fits the console.

    :param seen: how many closed trials of the board were shown before.
    """
    return LiveView(console, title) if console.is_terminal else LineView(console, seen=seen)


class LiveView:
    """Draws the whole board a few times a second.

    :param draw: makes the picture of a board, with a title.
    """

    def __init__(
        self,
        console: Console,
        title: str = '',
        draw: Callable[[Board, str], RenderableType] | None = None,
    ) -> None:
        self._title, self._draw = title, draw or render
        self._live = Live(console=console, refresh_per_second=_REFRESH, transient=True)

    def __enter__(self) -> LiveView:
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.stop()

    def show(self, board: Board) -> None:
        """Draw the board."""
        self._live.update(self._draw(board, self._title))


class LineView:
    """Prints a line for every closed trial and every new notice."""

    def __init__(self, console: Console, *, seen: int = 0) -> None:
        self._console = console
        self._first = self._closed = seen
        self._said = ''

    def __enter__(self) -> LineView:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def show(self, board: Board) -> None:
        """Print what is new."""
        if board.notice and board.notice != self._said:
            self._print(board.notice)
        self._said = board.notice
        new = min(board.closed - self._closed, len(board.trials))
        for trial in list(board.trials)[len(board.trials) - new :]:
            self._closed += 1
            self._print(trial_line(trial, self._closed - self._first))
        self._closed = board.closed

    def _print(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)


def render(board: Board, title: str = '') -> RenderableType:
    """Return the whole board."""
    state = board.state
    parts: list[RenderableType] = [_headline(state), _progress(state), '', _figures(board)]
    if board.trials:
        parts += ['', _trials(board)]
    if board.notice:
        parts += ['', Text(board.notice, style='yellow')]
    return Panel(Group(*parts), title=title or state.station or 'enpire', title_align='left')


def trial_line(trial: Trial, number: int) -> str:
    """Return a closed trial as one line."""
    return (
        f'{number:>4} {trial.outcome_name:<12} {len(trial.attempts)} attempts  '
        f'reset {trial.reset_seconds:5.1f} s  execute {trial.execute_seconds:5.1f} s  '
        f'verify {trial.verify_seconds:4.1f} s  wall {trial.wall_seconds:5.1f} s  '
        f'{trial.controller}: {trial.message}'
    )


def percent(value: float, digits: int = 1) -> str:
    """Return a share in percent; a dash for NaN."""
    return '–' if math.isnan(value) else f'{100.0 * value:.{digits}f} %'


def _headline(state: StationState) -> Text:
    text = Text()
    name = state.state_name.lower().replace('_', ' ') or 'not heard yet'
    text.append(f'{name:<20}', style=_STATE_STYLES.get(state.state, ''))
    if state.trials_requested:
        number = state.trials_done + bool(state.trial_id)
        text.append(f'trial {number}/{state.trials_requested}   ')
    if state.attempt:
        text.append(f'attempt {state.attempt}/{state.max_attempts}   ')
    text.append(state.controller, style='bold')
    if state.message:
        text.append(f'\n{state.message}', style='yellow')
    return text


def _progress(state: StationState) -> RenderableType:
    total = max(1, state.trials_requested)
    return ProgressBar(total=total, completed=min(total, state.trials_done))


def _figures(board: Board) -> Table:
    state = board.state
    table = Table.grid(padding=(0, 2))
    table.add_column(style='dim', justify='right')
    table.add_column()
    done = state.trials_done
    table.add_row(
        'success',
        f'pass@{max(1, state.max_attempts)} {state.successes}/{done} '
        f'{percent(state.success_rate)}, at least {percent(state.success_lower_bound)} '
        f'(watched: {percent(state.success_anytime_bound)})   '
        f'pass@1 {state.first_attempt_successes}/{done}   streak {state.streak}',
    )
    table.add_row('last verdict', _verdict(state.last_verdict))
    table.add_row(
        'robot at work',
        f'{percent(state.robot_utilization)} of the time, executing '
        f'{percent(state.execution_utilization)}',
    )
    table.add_row('resets', _resets(board.resets))
    return table


def _verdict(verdict: Verdict) -> Text:
    if not verdict.trial_id:
        return Text('–')
    text = Text(f'{verdict.outcome_name} ', style=_MARK_STYLES.get(verdict.outcome, ''))
    text.append(f'score {verdict.score:.2f}  ', style='')
    for vote in verdict.votes:
        text.append(f'{vote.source} ', style='dim')
        text.append(_mark(vote), style=_MARK_STYLES.get(vote.verdict, ''))
        text.append('  ')
    return text


def _mark(vote: Vote) -> str:
    return f'{_MARKS.get(vote.verdict, "–")} {vote.score:.2f}'


def _resets(resets: ResetStatistics) -> str:
    if not resets.attempts:
        return '–'
    causes = ', '.join(
        f'{cause} {count}' for cause, count in zip(resets.causes, resets.counts, strict=False)
    )
    return (
        f'{resets.successes}/{resets.attempts} {percent(resets.success_rate)}, at least '
        f'{percent(resets.success_lower_bound)}; mean {resets.mean_seconds:.1f} s, longest '
        f'{resets.max_seconds:.1f} s; recoveries: {causes or "none"}'
    )


def _trials(board: Board) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style='dim')
    table.add_column('outcome')
    for name in ('attempts', 'reset [s]', 'execute [s]', 'verify [s]'):
        table.add_column(name, justify='right')
    table.add_column('what happened', overflow='ellipsis', no_wrap=True)
    for trial in board.trials:
        style = _OUTCOME_STYLES.get(trial.outcome, 'red')
        table.add_row(
            Text(trial.outcome_name, style=style),
            str(len(trial.attempts)),
            f'{trial.reset_seconds:.1f}',
            f'{trial.execute_seconds:.1f}',
            f'{trial.verify_seconds:.1f}',
            trial.message,
        )
    return table
