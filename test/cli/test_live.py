"""What the terminal shows, with a screen and without."""

from __future__ import annotations

import io
import math

import pytest
from rich.console import Console

from enpire_msgs.msg import ResetStatistics, StationState, Trial, Verdict, Vote
from enpire_nodes.cli.board import Board, KEPT
from enpire_nodes.cli.live import LineView, LiveView, make_view, percent, render


def text_of(renderable, width: int = 120) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(renderable)
    return console.file.getvalue()


@pytest.fixture
def board() -> Board:
    board = Board()
    vote = Vote(source='camera/side', verdict=Vote.SUCCESS, score=0.97)
    board.state = StationState(
        station='station_1',
        state=StationState.EXECUTING,
        state_name='EXECUTING',
        trial_id='t7',
        controller='spiral_search',
        attempt=2,
        max_attempts=8,
        trials_done=6,
        trials_requested=20,
        successes=5,
        first_attempt_successes=4,
        success_rate=5 / 6,
        success_lower_bound=0.418,
        success_anytime_bound=0.33,
        streak=3,
        robot_utilization=0.912,
        execution_utilization=0.401,
        last_verdict=Verdict(
            trial_id='t6', outcome=Verdict.SUCCESS, outcome_name='SUCCESS', score=0.9, votes=[vote]
        ),
    )
    board.resets = ResetStatistics(
        attempts=7, successes=7, success_rate=1.0, mean_seconds=3.9, causes=['slipped'], counts=[2]
    )
    return board


def closed(number: int, outcome: int = Trial.SUCCESS, name: str = 'SUCCESS') -> Trial:
    return Trial(
        trial_id=f't{number}', outcome=outcome, outcome_name=name, message=f'message {number}',
        controller='scripted',
    )  # fmt: skip


@pytest.mark.parametrize(
    'words',
    [
        'executing', 'trial 7/20', 'attempt 2/8', 'spiral_search', 'pass@8 5/6 83.3 %',
        'at least 41.8 %', 'watched: 33.0 %', 'pass@1 4/6', 'streak 3', 'camera/side ✓ 0.97',
        '91.2 %', 'executing 40.1 %', '7/7 100.0 %', 'slipped 2',
    ],
)  # fmt: skip
def test_the_board_shows(board, words):
    assert words in text_of(render(board))


def test_a_board_that_has_heard_nothing_can_be_shown():
    shown = text_of(render(Board()))
    assert 'not heard yet' in shown
    assert 'nan' not in shown


def test_the_newest_trials_are_shown(board):
    for number in range(KEPT + 3):
        board.add_trial(closed(number))
    shown = text_of(render(board))
    assert f'message {KEPT + 2}' in shown
    assert 'message 2\n' not in shown
    assert board.closed == KEPT + 3


def test_a_trial_that_is_announced_twice_counts_once(board):
    board.add_trial(closed(1))
    board.add_trial(closed(1))
    assert (board.closed, len(board.trials)) == (1, 1)


def test_faults_and_notices_are_shown(board):
    board.state.message = 'driver has been silent for 3.0 s'
    board.notice = 'the runner was restarted'
    shown = text_of(render(board))
    assert 'driver has been silent' in shown
    assert 'the runner was restarted' in shown


def test_lines_are_printed_once():
    console = Console(file=io.StringIO(), width=200)
    board = Board()
    with LineView(console) as view:
        board.notice = 'waiting'
        view.show(board)
        board.notice = ''
        board.add_trial(closed(1))
        view.show(board)
        view.show(board)
        board.add_trial(closed(2, Trial.FAILURE, 'FAILURE'))
        board.add_trial(closed(3))
        view.show(board)
    lines = console.file.getvalue().splitlines()
    assert [line.split()[0] for line in lines] == ['waiting', '1', '2', '3']
    assert 'FAILURE' in lines[2]


def test_what_was_seen_before_is_not_printed_again():
    console = Console(file=io.StringIO(), width=200)
    board = Board()
    board.add_trial(closed(1))
    view = LineView(console, seen=board.closed)
    view.show(board)
    board.add_trial(closed(2))
    view.show(board)
    assert console.file.getvalue().split()[:2] == ['1', 'SUCCESS']
    assert 'message 1' not in console.file.getvalue()


def test_a_screen_gets_the_live_view(board):
    screen = Console(file=io.StringIO(), force_terminal=True, width=120)
    assert isinstance(make_view(screen), LiveView)
    assert isinstance(make_view(Console(file=io.StringIO())), LineView)
    with make_view(screen, 'station_1 · demo') as view:
        view.show(board)
    assert 'station_1 · demo' in screen.file.getvalue()


def test_percent():
    assert percent(0.5) == '50.0 %'
    assert percent(0.97, 0) == '97 %'
    assert percent(math.nan) == '–'
