"""The command: what it waits for, and when it gives up."""

import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.evolution.agents.interface import CANNOT_GO_ON
from enpire_nodes.evolution.researcher import __main__ as program


@pytest.fixture
def play(monkeypatch, tmp_path):
    """Play steps of a researcher: an error, or why it ended; return exit code and waits."""
    monkeypatch.chdir(tmp_path)

    def run(*steps, seconds=1.0):
        left, now, closed = list(steps), [0.0], []

        def step(self):
            done = left.pop(0)
            if isinstance(done, ErrorCode):
                raise StationError(done, 'in words')
            return done

        def sleep(_):
            now[0] += seconds

        monkeypatch.setattr(program.Researcher, 'step', step)
        monkeypatch.setattr(program.Trainer, 'close', lambda self: closed.append(1))
        monkeypatch.setattr(program.time, 'monotonic', lambda: now[0])
        monkeypatch.setattr(program.time, 'sleep', sleep)
        code = program.main(['--socket', str(tmp_path / 'none')])
        assert closed == [1]
        return code, len(left)

    return run


@pytest.mark.parametrize('code', program._TRANSIENT)
def test_a_station_that_is_away_for_a_while_is_waited_for(play, capsys, code):
    assert play(code, code, '', 'nothing is left to try') == (0, 0)
    assert capsys.readouterr().out.splitlines() == [
        'waiting: in words', 'waiting: in words', 'nothing is left to try',
    ]  # fmt: skip


def test_patience_has_an_end(play, capsys):
    away = ErrorCode.SUPERVISOR_SOCKET_FAILED
    assert play(*[away] * 5, 'never', seconds=60.0) == (1, 2)
    assert 'SUPERVISOR_SOCKET_FAILED: in words' in capsys.readouterr().err


def test_patience_begins_anew_with_each_success(play):
    away = ErrorCode.HUB_GIT_FAILED
    assert play(*[away, away, ''] * 5, 'over', seconds=50.0) == (0, 0)


def test_another_error_is_the_end_at_once(play):
    assert play(ErrorCode.SUPERVISOR_BAD_REQUEST, 'never') == (1, 1)


def test_what_is_refused_would_be_refused_again(play, capsys):
    assert play(ErrorCode.SUPERVISOR_JOB_REFUSED, 'never') == (CANNOT_GO_ON, 1)
    assert capsys.readouterr().err == 'SUPERVISOR_JOB_REFUSED: in words\n'
