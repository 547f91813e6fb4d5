"""A campaign in the terminal: a live view where there is a screen, lines where there is none."""

from __future__ import annotations

import math
import time

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from enpire_msgs.msg import ResearchStatus, StationState
from enpire_nodes.cli.board import Board
from enpire_nodes.cli.live import LiveView, percent, trial_line, View

_EVERY = 30.0  # s between two lines without news
_STYLES = {
    ResearchStatus.THINKING: 'cyan',
    ResearchStatus.WAITING_FOR_ROBOT: 'bold green',
    ResearchStatus.PAUSED: 'yellow',
    ResearchStatus.STALLED: 'red',
    ResearchStatus.FAILED: 'bold red',
}


def make_research_view(console: Console, title: str = '') -> View:
    """Return the view that fits the console."""
    if console.is_terminal:
        return LiveView(console, title, render_research)
    return ResearchLineView(console)


class ResearchLineView:
    """Prints a line when something happened, and now and then when nothing did."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._said: tuple[object, ...] = ()
        self._when = -math.inf
        self._notice = ''

    def __enter__(self) -> ResearchLineView:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def show(self, board: Board) -> None:
        """Print what is new."""
        if board.notice and board.notice != self._notice:
            self._console.print(board.notice, markup=False, highlight=False, soft_wrap=True)
        self._notice = board.notice
        status = board.research
        if not status.campaign:
            return
        news = (status.ideas, status.best_commit, status.message, status.state_name)
        quiet = time.monotonic() - self._when < (2.0 if news != self._said else _EVERY)
        if quiet:
            return
        self._said, self._when = news, time.monotonic()
        self._console.print(research_line(status), markup=False, highlight=False, soft_wrap=True)


def research_line(status: ResearchStatus) -> str:
    """Return a campaign in one line."""
    parts = [
        f'{status.ideas} ideas',
        f'{status.trials} trials',
        f'{status.robot_seconds / 60.0:.1f} robot min',
        f'main {status.best_commit[:10]} {_confirmed(status)}',
        f'{status.budget_used:.0%} of {status.budget_name or "no budget"}',
        status.state_name.lower().replace('_', ' '),
    ]
    words = status.message or status.doing
    return ' · '.join(parts) + (f' · {words}' if words else '')


def render_research(board: Board, title: str = '') -> RenderableType:
    """Return the whole campaign."""
    status, state = board.research, board.state
    head = Text()
    head.append(
        f' {status.state_name.lower().replace("_", " ") or "starting"} ',
        style=_STYLES.get(status.state, 'bold'),
    )
    head.append(f'  {status.agent}  {status.doing}', style='dim')
    figures = Table.grid(padding=(0, 3))
    for _ in range(4):
        figures.add_column()
    figures.add_row('ideas', str(status.ideas), 'trials', str(status.trials))
    figures.add_row(
        'robot time', f'{status.robot_seconds / 60.0:.1f} min', 'in the queue',
        f'{status.queued_trials} trials',
    )  # fmt: skip
    price = '' if math.isnan(status.price) else f'{status.price:.2f}'
    figures.add_row('tokens', f'{status.tokens:,}', 'price', price or '-')
    figures.add_row('main', status.best_commit[:10] or '-', 'confirmed', _confirmed(status))
    figures.add_row('robot', _doing(state), 'at work', percent(state.robot_utilization))
    used = Table.grid(padding=(0, 2))
    used.add_column()
    used.add_column(width=40)
    used.add_row(
        f'budget: {status.budget_name or "none"}',
        ProgressBar(total=1.0, completed=min(1.0, status.budget_used), width=40),
    )
    parts: list[RenderableType] = [head, '', figures, '', used]
    if board.trials:
        lines = [
            trial_line(trial, board.closed - len(board.trials) + number)
            for number, trial in enumerate(board.trials, start=1)
        ]
        parts += ['', *(Text(line, style='dim', no_wrap=True) for line in lines[-5:])]
    for words in (status.message, board.notice):
        if words:
            parts += ['', Text(words, style='yellow')]
    return Panel(Group(*parts), title=title or status.campaign or 'enpire', title_align='left')


def _doing(state: StationState) -> str:
    return state.state_name.lower().replace('_', ' ') or '-'


def _confirmed(status: ResearchStatus) -> str:
    if math.isnan(status.best_success_rate):
        return 'not confirmed'
    low = percent(status.best_success_lower_bound)
    return f'{percent(status.best_success_rate)}, at least {low}'
