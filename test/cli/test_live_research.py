"""A campaign in the terminal: what is shown, and when a line is due."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

pytest.importorskip('enpire_msgs')

from enpire_msgs.msg import ResearchStatus, StationState, Trial
from enpire_nodes.cli.board import Board
from enpire_nodes.cli.live_research import (
    make_research_view,
    render_research,
    research_line,
)

pytestmark = pytest.mark.ros


def board(**fields) -> Board:
    status = ResearchStatus(
        **{
            'campaign': 'c1', 'agent': 'builtin', 'state': ResearchStatus.THINKING,
            'state_name': 'THINKING', 'ideas': 3, 'trials': 41, 'robot_seconds': 600.0,
            'best_commit': 'ab' * 20, 'best_success_rate': float('nan'), 'budget_used': 0.25,
            'budget_name': 'wall_clock', 'tokens': 1234567, 'price': 4.5, **fields,
        }
    )  # fmt: skip
    return Board(
        state=StationState(state_name='EXECUTING', robot_utilization=0.93), research=status
    )


def rendered(shown: Board) -> str:
    console = Console(file=io.StringIO(), width=110)
    console.print(render_research(shown, 'title'))
    return console.file.getvalue()


def test_the_live_view_shows_what_a_person_asks_first():
    text = rendered(board(doing='runs Bash: enpire trial wait', message='look here'))
    shown = ('thinking', 'builtin', 'enpire trial wait', '41', '10.0 min', '1,234,567', '4.50')
    for words in (*shown, 'not confirmed', 'wall_clock', '93', 'executing', 'look here'):
        assert words in text, words


def test_a_confirmed_main_has_its_bound():
    text = rendered(board(best_success_rate=1.0, best_success_lower_bound=0.942))
    assert 'at least 94' in text


def test_the_last_trials_are_shown():
    shown = board()
    shown.add_trial(Trial(trial_id='t1', outcome=Trial.SUCCESS, outcome_name='SUCCESS'))
    assert 'SUCCESS' in rendered(shown)


def test_before_the_first_message_there_is_a_picture_too():
    assert 'starting' in rendered(Board())


def test_a_line_says_where_the_campaign_stands():
    line = research_line(board(message='paused by a person').research)
    assert '3 ideas · 41 trials · 10.0 robot min' in line
    assert line.endswith('paused by a person')


def test_without_a_screen_a_line_comes_for_news_alone():
    console = Console(file=io.StringIO(), width=200)
    view = make_research_view(console)
    with view:
        view.show(Board())
        assert console.file.getvalue() == ''
        view.show(board())
        view.show(board())
    assert console.file.getvalue().count('3 ideas') == 1
    view._when = -1e9
    view.show(board(ideas=4))
    assert '4 ideas' in console.file.getvalue()


def test_a_notice_is_printed_once():
    console = Console(file=io.StringIO(), width=200)
    view = make_research_view(console)
    shown = board()
    shown.notice = 'agent_supervisor is silent'
    view.show(shown)
    view.show(shown)
    assert console.file.getvalue().count('silent') == 1


def test_a_screen_gets_the_live_view():
    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    with make_research_view(console, 'a night') as view:
        view.show(board())
    assert 'a night' in console.file.getvalue()
