"""Finding the run that a command is about."""

import argparse
import os

import pytest

from enpire_nodes.cli.runs import add_run_argument, find_run, reported
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.ledger import Ledger


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv('ENPIRE_RUN', raising=False)


def arguments(*words):
    parser = argparse.ArgumentParser()
    add_run_argument(parser)
    return parser.parse_args(words)


def make(path, age):
    Ledger(path, station='s', owner='test').close()
    for file in path.glob('ledger.sqlite*'):
        stamp = file.stat().st_mtime - age
        os.utime(file, (stamp, stamp))
    return path


def test_the_newest_run_is_taken(tmp_path):
    make(tmp_path / 'runs' / 'old', 100)
    new = make(tmp_path / 'runs' / 'deep' / 'new', 10)
    make(tmp_path / 'runs' / 'older', 200)
    assert find_run(arguments()).resolve() == new


def test_a_named_run_comes_first_and_the_environment_second(tmp_path, monkeypatch):
    one, two = make(tmp_path / 'one', 0), make(tmp_path / 'two', 0)
    monkeypatch.setenv('ENPIRE_RUN', str(two))
    assert find_run(arguments('--run', str(one))) == one
    assert find_run(arguments()) == two


@pytest.mark.parametrize(
    ('words', 'reason'),
    [((), 'no run was found'), (('--run', 'x'), 'does not exist'), (('--run', '.'), 'no ledger')],
)
def test_a_missing_run_is_explained(words, reason):
    with pytest.raises(StationError, match=reason) as caught:
        find_run(arguments(*words))
    assert caught.value.code is ErrorCode.RUNNER_LEDGER_FAILED


def test_errors_are_one_line_and_exit_code_1(capsys):
    def fail(arguments):
        raise StationError(ErrorCode.RUNNER_LEDGER_FAILED, 'no disk: buy one')

    assert reported(fail)(arguments()) == 1
    assert capsys.readouterr().err == 'enpire: no disk: buy one (RUNNER_LEDGER_FAILED)\n'


def make_workspace(place, *runs):
    from enpire_nodes.improvement.workspace import Workspace

    return Workspace.create(place, task='pin_insertion', runs=list(runs), station='/station_1')


def test_in_a_workspace_it_is_the_run_that_this_learns_from(tmp_path, monkeypatch):
    used = make(tmp_path / 'station' / 'run', 100)
    workspace = make_workspace(tmp_path / 'mine', tmp_path / 'not yet', used)
    make(workspace.path / 'runs' / 'newer', 0)
    monkeypatch.chdir(workspace.path / 'algorithms')
    assert find_run(arguments()) == used
    named = make(tmp_path / 'named', 50)
    assert find_run(arguments('--run', str(named))) == named
    monkeypatch.setenv('ENPIRE_RUN', str(named))
    assert find_run(arguments()) == named


def test_a_workspace_whose_station_never_ran_leaves_the_choice_to_the_folder(
    tmp_path, monkeypatch
):
    workspace = make_workspace(tmp_path / 'mine', tmp_path / 'not yet')
    here = make(workspace.path / 'runs' / 'here', 0)
    monkeypatch.chdir(workspace.path)
    assert find_run(arguments()).resolve() == here
