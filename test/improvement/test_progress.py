"""What a person sees of a long work, on a terminal and in a file."""

import io

from rich.console import Console

from enpire_nodes.improvement import progress as module
from enpire_nodes.improvement.progress import Progress


def shown(terminal, monkeypatch, times):
    clock = iter(times)
    monkeypatch.setattr(module.time, 'monotonic', lambda: next(clock))
    screen = io.StringIO()
    return screen, Console(file=screen, force_terminal=terminal, width=80)


def test_a_file_gets_a_line_now_and_then(monkeypatch):
    screen, console = shown(False, monkeypatch, [0.0, 5.0, 21.0, 21.0, 30.0, 50.0, 50.0])
    with Progress(console, 'learning') as progress:
        for number in range(4):
            progress.show(f'{number} updates')
    assert screen.getvalue().splitlines() == ['learning: 1 updates', 'learning: 3 updates']


def test_a_terminal_gets_a_line_that_moves_and_goes(monkeypatch):
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=80)
    with Progress(console, 'learning') as progress:
        progress.show('7 updates')
        assert progress._status is not None
        assert 'learning: 7 updates' in str(progress._status.status)
    assert '\x1b[?25h' in screen.getvalue(), 'the cursor is back'


def test_items_pass_unchanged(monkeypatch):
    screen, console = shown(False, monkeypatch, [0.0, 30.0, 30.0, 31.0, 32.0])
    with Progress(console, 'reading trials') as progress:
        assert list(progress.over(['a', 'b', 'c'])) == ['a', 'b', 'c']
    assert screen.getvalue() == 'reading trials: 1 of 3\n'
