"""Keys as velocities, and a real pseudo-terminal."""

import os
import pty

import numpy as np
import pytest

from enpire_nodes.cli.keyboard import HELD, Keyboard, raw_terminal, REPEATED


@pytest.fixture
def keyboard(clock):
    return Keyboard(clock=clock)


@pytest.mark.parametrize(
    ('typed', 'direction'),
    [('w', [1, 0, 0]), ('S', [-1, 0, 0]), ('a', [0, 1, 0]), ('d', [0, -1, 0]), ('r', [0, 0, 1]),
     ('f', [0, 0, -1]), ('\x1b[A', [1, 0, 0]), ('\x1b[C', [0, -1, 0]), ('wa', [1, 1, 0])],
)  # fmt: skip
def test_keys_point(keyboard, typed, direction):
    keyboard.hear(typed)
    np.testing.assert_allclose(keyboard.velocity(), keyboard.speed * np.array(direction))


def test_a_key_that_is_let_go_stops_soon(keyboard, clock):
    keyboard.hear('w')
    clock.now += HELD - 0.01
    assert keyboard.velocity()[0] > 0.0
    keyboard.hear('w')  # the terminal begins to repeat it
    clock.now += REPEATED + 0.01
    assert not keyboard.velocity().any()


def test_the_opposite_key_takes_over_at_once(keyboard):
    keyboard.hear('w')
    keyboard.hear('s')
    assert keyboard.velocity()[0] < 0.0


def test_space_stops(keyboard):
    keyboard.hear('wr ')
    assert not keyboard.velocity().any()


def test_speeds_end_somewhere(keyboard):
    keyboard.hear('+' * 20)
    fastest = keyboard.speed
    keyboard.hear('-' * 20)
    assert 0.0 < keyboard.speed < fastest <= 0.05


@pytest.mark.parametrize('key', ['\r', '\n'])
def test_enter_is_done_and_stops(keyboard, key):
    keyboard.hear('w' + key)
    assert keyboard.done
    assert not keyboard.velocity().any()


@pytest.mark.parametrize('key', ['q', 'Q', '\x03'])
def test_leaving(keyboard, key):
    keyboard.hear(key)
    assert keyboard.quit


def test_single_keys_come_from_a_terminal_that_is_left_as_it_was():
    ours, theirs = pty.openpty()
    try:
        import termios

        before = termios.tcgetattr(theirs)
        with raw_terminal(theirs) as typed:
            assert typed(0.01) == ''
            os.write(ours, b'w\x1b[A')
            assert typed(2.0) == 'w\x1b[A'
        assert termios.tcgetattr(theirs) == before
    finally:
        os.close(ours)
        os.close(theirs)


def test_what_is_no_terminal_is_refused(tmp_path):
    with (tmp_path / 'file').open('w') as file:
        with pytest.raises(OSError, match='terminal'):
            with raw_terminal(file.fileno()):
                raise AssertionError('a file has no keys')
