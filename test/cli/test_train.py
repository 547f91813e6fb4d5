"""``enpire train``: what it hands on, and what it refuses before anything is loaded."""

import os
import sys

from improvement_support import closed_record, python, shown_trial, without_torch, write_record
import pytest

from enpire_nodes.cli import train
from enpire_nodes.cli.main import main
from enpire_nodes.improvement.replay_store import ReplayStore
from enpire_nodes.improvement.workspace import Workspace


@pytest.fixture
def workspace(tmp_path):
    return Workspace.create(
        tmp_path / 'mine', task='pin_insertion', runs=[tmp_path / 'run'], station='/station_1'
    )


@pytest.fixture
def execv(monkeypatch):
    """Catch the end of this process."""
    called = []
    monkeypatch.setattr(train.os, 'execv', lambda *words: called.append((os.getcwd(), *words)))
    return called


def test_it_becomes_the_training_code_of_the_workspace(workspace, execv, monkeypatch):
    monkeypatch.chdir(workspace.path / 'algorithms')
    main(['train'])
    assert execv == [(str(workspace.path), sys.executable, [sys.executable, 'train.py'])]


def test_arguments_are_handed_on_as_they_are_meant_from_here(workspace, execv, monkeypatch):
    monkeypatch.chdir(workspace.path / 'algorithms')
    main(['train', '--run', 'a', '--run', '/b', '--follow', '--fresh'])
    ((_, _, words),) = execv
    here = str(workspace.path / 'algorithms')
    assert words[2:] == ['--run', f'{here}/a', '--run', '/b', '--follow', '--fresh']


def test_outside_a_workspace_it_says_so(tmp_path, execv, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(['train']) == 1
    assert 'is in no research workspace' in capsys.readouterr().err
    assert execv == []


def demonstrated(workspace):
    ReplayStore(workspace.replay).add(shown_trial())


@pytest.mark.parametrize(
    ('line', 'instead', 'said'),
    [
        ('algorithm: bc_rl', 'algoritm: bc_rl', 'algoritm: is no setting; did you mean algorithm'),
        ('  hidden: 128', '  hidden: many', "training.hidden: 'many' must be of type int"),
        (
            '  critics_in_target: 2', '  critics_in_target: 3',
            'training.critics_in_target: is 3, more than the 2 critics',
        ),
    ],
)  # fmt: skip
def test_a_bad_recipe_is_told_with_its_line_before_torch_is_loaded(
    workspace, tmp_path, line, instead, said
):
    demonstrated(workspace)
    lines = workspace.recipe.read_text('utf-8').splitlines()
    number = lines.index(line) + 1
    lines[number - 1] = instead
    workspace.recipe.write_text('\n'.join(lines), 'utf-8')
    done = python('train.py', place=workspace.path, environment=without_torch(tmp_path))
    assert done.returncode == 1
    assert said in done.stderr
    assert f'recipe.yaml:{number}: ' in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert '[IMPROVEMENT_RECIPE_INVALID]' in done.stderr


def test_missing_demonstrations_are_told_before_torch_is_loaded(workspace, tmp_path):
    write_record(tmp_path / 'run', closed_record('failed', steps=()))
    write_record(tmp_path / 'run', closed_record('own', controller='learned'))
    done = python('train.py', place=workspace.path, environment=without_torch(tmp_path))
    assert done.returncode == 1
    assert 'recipe.yaml: data.demonstrators: there is no success of teleop' in done.stderr
    assert str(tmp_path / 'run') in done.stderr
    assert '[IMPROVEMENT_DATA_MISSING]' in done.stderr


def test_the_search_has_nothing_to_learn(workspace, tmp_path):
    text = workspace.recipe.read_text('utf-8').replace('algorithm: bc_rl', 'algorithm: search')
    workspace.recipe.write_text(text, 'utf-8')
    done = python(
        '-m',
        'enpire_nodes.cli.main',
        'train',
        place=workspace.path,
        environment=without_torch(tmp_path),
    )
    assert done.returncode == 0
    assert 'search learns nothing' in done.stdout


def test_with_demonstrations_torch_is_loaded(workspace, tmp_path):
    demonstrated(workspace)
    done = python('train.py', place=workspace.path, environment=without_torch(tmp_path))
    assert done.returncode != 0
    assert 'torch was imported' in done.stderr, 'the trap of these tests works'
