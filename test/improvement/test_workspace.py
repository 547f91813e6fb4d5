"""Research workspaces: made whole, under Git, and known by what lies in them."""

import json
import os
from pathlib import Path
import subprocess

from git_support import git
import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.improvement import workspace as module
from enpire_nodes.improvement.workspace import Workspace


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Give Git a user whose settings are the test's own."""
    home = tmp_path / 'home'
    home.mkdir()
    for name in [name for name in os.environ if name.startswith('GIT_')]:
        monkeypatch.delenv(name)
    monkeypatch.setenv('HOME', str(home))
    monkeypatch.setenv('XDG_CONFIG_HOME', str(home))
    monkeypatch.setenv('GIT_CONFIG_NOSYSTEM', '1')
    return home


def configure(home, **values):
    for name, value in values.items():
        command = ['git', 'config', '--file', str(home / '.gitconfig'), name.replace('_', '.')]
        subprocess.run([*command, value], check=True)


def make(path, **options):
    known = {'task': 'pin_insertion', 'runs': [Path('/runs/one')], 'station': '/station_3'}
    return Workspace.create(path, **{**known, **options})


def test_a_new_one_is_the_template_under_git(tmp_path):
    workspace = make(tmp_path / 'mine')
    listed = git(workspace.path, 'ls-files').splitlines()
    assert {'policy.py', 'train.py', 'recipe.yaml', 'recipe.py', '.gitignore'} <= set(listed)
    assert not [name for name in listed if '__pycache__' in name or name.startswith('.enpire')]
    assert git(workspace.path, 'branch', '--show-current') == 'main'
    assert git(workspace.path, 'rev-list', '--count', 'HEAD') == '1'
    programme = (workspace.path / 'PROGRAM.md').read_text('utf-8')
    assert 'pin_insertion' in programme
    assert '{task}' not in programme
    assert '{station}' not in programme
    assert workspace.subject() == 'Start on pin_insertion from the template'


def test_it_remembers_what_it_is_for(tmp_path):
    make(tmp_path / 'mine')
    workspace = Workspace.find(tmp_path / 'mine')
    assert workspace.runs() == [Path('/runs/one')]
    assert (workspace.task, workspace.station) == ('pin_insertion', '/station_3')
    assert workspace.policy.is_file()
    assert workspace.recipe.is_file()
    for place in (workspace.replay, workspace.checkpoints, workspace.curves, workspace.current):
        assert workspace.local in place.parents


def test_it_is_found_from_within(tmp_path):
    workspace = make(tmp_path / 'mine')
    assert Workspace.find(workspace.path / 'algorithms') == workspace
    with pytest.raises(StationError, match='is in no research workspace') as caught:
        Workspace.find(tmp_path)
    assert caught.value.code == ErrorCode.IMPROVEMENT_WORKSPACE_UNUSABLE
    assert 'enpire workspace new' in caught.value.message


def test_an_empty_folder_is_no_hindrance(tmp_path):
    (tmp_path / 'mine').mkdir()
    assert make(tmp_path / 'mine').recipe.is_file()


@pytest.mark.parametrize('kind', ['file', 'folder'])
def test_what_is_in_the_way_is_left_alone(tmp_path, kind):
    place = tmp_path / 'mine'
    kept = place
    if kind == 'folder':
        place.mkdir()
        kept = place / 'thesis.tex'
    kept.write_text('mine', 'utf-8')
    with pytest.raises(StationError, match='is in the way') as caught:
        make(place)
    assert caught.value.code == ErrorCode.IMPROVEMENT_WORKSPACE_UNUSABLE
    assert kept.read_text('utf-8') == 'mine'
    assert sorted(tmp_path.rglob('*')) == sorted({tmp_path / 'home', place, kept})


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / 'file').write_text('', 'utf-8')
    with pytest.raises(StationError, match='cannot be written') as caught:
        make(tmp_path / 'file' / 'mine')
    assert caught.value.code == ErrorCode.IMPROVEMENT_WORKSPACE_UNUSABLE


def test_the_commit_tells_whether_files_differ_from_it(tmp_path):
    workspace = make(tmp_path / 'mine')
    head = git(workspace.path, 'rev-parse', 'HEAD')
    assert workspace.commit() == head
    (workspace.local / 'replay').mkdir()
    (workspace.local / 'replay' / 'x.npz').write_bytes(b'')
    (workspace.path / '__pycache__').mkdir()
    (workspace.path / '__pycache__' / 'x.pyc').write_bytes(b'')
    assert workspace.commit() == head, 'what training writes is no change'
    new = workspace.path / 'idea.py'
    new.write_text('', 'utf-8')
    assert workspace.commit() == head + '-dirty'
    new.unlink()
    workspace.recipe.write_text('algorithm: bc\n', 'utf-8')
    assert workspace.commit() == head + '-dirty'


def test_the_subject_is_the_idea_under_test(tmp_path):
    workspace = make(tmp_path / 'mine')
    workspace.recipe.write_text('algorithm: bc\n', 'utf-8')
    workspace._git('commit', '--all', '--quiet', '--message', 'Clone alone\n\nand more of it')
    assert workspace.subject() == 'Clone alone'


@pytest.mark.parametrize('known', [{}, {'user_email': 'me@lab'}, {'user_name': 'Me'}])
def test_nobody_needs_to_have_told_git_a_name(tmp_path, home, known):
    configure(home, user_useConfigOnly='true', **known)
    workspace = make(tmp_path / 'mine')
    assert git(workspace.path, 'log', '--format=%an%ae')


def test_a_name_that_git_knows_is_used(tmp_path, home):
    configure(home, user_name='Ada', user_email='ada@lab')
    assert git(make(tmp_path / 'mine').path, 'log', '--format=%an %ae') == 'Ada ada@lab'


def test_hooks_signatures_and_monitors_of_the_user_are_not_run(tmp_path, home):
    told = tmp_path / 'told'
    template = home / 'template'
    for folder in (home / 'hooks', template / 'hooks'):
        folder.mkdir(parents=True)
        for name in ('pre-commit', 'commit-msg', 'post-commit', 'post-index-change'):
            hook = folder / name
            hook.write_text(f'#!/bin/sh\necho {name} >> {told}\nexit 1\n', 'utf-8')
            hook.chmod(0o755)
    monitor = home / 'monitor'
    monitor.write_text(f'#!/bin/sh\necho monitor >> {told}\nexit 1\n', 'utf-8')
    monitor.chmod(0o755)
    configure(
        home, core_hooksPath=str(home / 'hooks'), core_fsmonitor=str(monitor),
        init_templateDir=str(template), commit_gpgSign='true', gpg_program=str(monitor),
        user_name='Ada', user_email='ada@lab',
    )  # fmt: skip
    workspace = make(tmp_path / 'mine')
    workspace.commit()
    assert not told.exists()
    # the monitor is a real one: Git by itself asks it
    git(workspace.path, '-c', 'core.untrackedCache=true', 'status')
    assert 'monitor' in told.read_text('utf-8')


def test_without_git_it_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv('PATH', str(tmp_path))
    with pytest.raises(StationError, match='Git fails') as caught:
        make(tmp_path / 'mine')
    assert caught.value.code == ErrorCode.IMPROVEMENT_WORKSPACE_UNUSABLE


def test_what_git_says_is_passed_on(tmp_path):
    workspace = make(tmp_path / 'mine')
    (workspace.path / '.git' / 'HEAD').write_text('ref: refs/heads/gone\n', 'utf-8')
    with pytest.raises(StationError, match='HEAD') as caught:
        workspace.commit()
    assert str(workspace.path) in caught.value.message


def test_a_git_that_hangs_is_given_up(tmp_path, monkeypatch):
    binary = tmp_path / 'bin' / 'git'
    binary.parent.mkdir()
    binary.write_text('#!/bin/sh\nexec sleep 60\n', 'utf-8')
    binary.chmod(0o755)
    monkeypatch.setenv('PATH', f'{binary.parent}:{os.environ["PATH"]}')
    monkeypatch.setattr(module, '_GIT_DEADLINE', 0.2)
    with pytest.raises(StationError, match='timed out'):
        make(tmp_path / 'mine')


def test_crops_are_those_of_the_task_in_the_size_that_is_asked_for(tmp_path):
    workspace = make(tmp_path / 'mine')
    crops = workspace.crops(48)
    assert crops
    assert {crop.size for crop in crops.values()} == {48}


@pytest.mark.parametrize('content', ['', '{', '[]', '{"task": "pin_insertion"}'])
def test_a_damaged_description_is_told(tmp_path, content):
    workspace = make(tmp_path / 'mine')
    (workspace.local / 'workspace.json').write_text(content, 'utf-8')
    with pytest.raises(StationError, match=r'workspace\.json') as caught:
        workspace.crops(48)
    assert caught.value.code == ErrorCode.IMPROVEMENT_WORKSPACE_UNUSABLE


def test_the_description_is_json(tmp_path):
    workspace = make(tmp_path / 'mine')
    about = json.loads((workspace.local / 'workspace.json').read_text('utf-8'))
    assert about['runs'] == ['/runs/one']
