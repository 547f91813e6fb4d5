"""``enpire workspace new``: what it makes of its arguments."""

from pathlib import Path

import pytest

from enpire_nodes.cli.main import main
from enpire_nodes.improvement.workspace import Workspace


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_workspace_learns_from_its_station_by_default(tmp_path, capsys):
    assert main(['workspace', 'new', 'mine']) == 0
    workspace = Workspace.find(Path('mine'))
    assert workspace.path == tmp_path / 'mine'
    assert workspace.runs() == [tmp_path / 'runs' / 'station_1']
    assert (workspace.task, workspace.station) == ('pin_insertion', '/station_1')
    text = capsys.readouterr().out
    assert f'{tmp_path / "mine"} is a Git repository now' in text
    assert str(tmp_path / 'runs' / 'station_1') in text
    for command in ('enpire teleop', 'enpire train', 'enpire trial'):
        assert command in text


def test_another_station_has_other_runs(tmp_path):
    assert main(['workspace', 'new', 'mine', '--station', '/lab/station_7']) == 0
    workspace = Workspace.find(Path('mine'))
    assert workspace.station == '/lab/station_7'
    assert workspace.runs() == [tmp_path / 'runs' / 'lab' / 'station_7']


def test_runs_may_be_named(tmp_path):
    assert main(['workspace', 'new', 'mine', '--run', 'a', '--run', '/b']) == 0
    assert Workspace.find(Path('mine')).runs() == [tmp_path / 'a', Path('/b')]


def test_an_unknown_task_is_refused_before_anything_is_made(tmp_path, capsys):
    assert main(['workspace', 'new', 'mine', '--task', 'knitting']) == 1
    error = capsys.readouterr().err
    assert 'knitting' in error
    assert 'pin_insertion' in error
    assert not (tmp_path / 'mine').exists()


def test_what_is_in_the_way_is_told(tmp_path, capsys):
    (tmp_path / 'mine').write_text('', 'utf-8')
    assert main(['workspace', 'new', 'mine']) == 1
    assert 'mine is in the way' in capsys.readouterr().err


@pytest.mark.parametrize('words', [[], ['new'], ['old', 'mine']])
def test_wrong_usage(words, capsys):
    with pytest.raises(SystemExit, match='2'):
        main(['workspace', *words])
