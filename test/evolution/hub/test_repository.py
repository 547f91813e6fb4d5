"""Hubs: made whole, opened, read, cloned."""

import os
import subprocess

import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.evolution.hub import clone
from enpire_nodes.evolution.hub.clone import clone_for_agent, URL_INSIDE
from enpire_nodes.evolution.hub.git import git
from enpire_nodes.evolution.hub.repository import Hub
from enpire_nodes.evolution.hub.seed import seed_files


def test_main_is_one_commit_of_the_folder(hub, seed, tmp_path):
    assert git(hub.path, 'rev-list', '--count', 'main').text == '1'
    listed = git(hub.path, 'ls-tree', '-r', '--name-only', 'main').text.splitlines()
    assert listed == sorted(str(p.relative_to(seed)) for p in seed.rglob('*') if p.is_file())
    assert hub.resolve(hub.main[:8]) == hub.resolve('main') == hub.main
    assert not [path for path in tmp_path.iterdir() if path.name.startswith('.hub')]
    assert not list(hub.path.glob('seed.index*'))


def test_what_a_workspace_begins_with_makes_a_hub(tmp_path):
    seed_files(tmp_path / 'seed', 'pin_insertion')
    hub = Hub.create(tmp_path / 'hub.git', seed=tmp_path / 'seed')
    listed = git(hub.path, 'ls-tree', '-r', '--name-only', 'main').text.splitlines()
    assert {'FROZEN', 'PROGRAM.md', 'environment.json', 'policy.py', '.gitignore'} <= set(listed)
    assert '{' not in (tmp_path / 'seed' / 'PROGRAM.md').read_text('utf-8')


def test_files_that_a_hub_would_not_take_make_none(tmp_path, seed):
    (seed / 'link').symlink_to('policy.py')
    with pytest.raises(StationError, match='link: is a symbolic link') as caught:
        Hub.create(tmp_path / 'hub.git', seed=seed)
    assert caught.value.code == ErrorCode.HUB_UNUSABLE
    assert sorted(path.name for path in tmp_path.iterdir()) == ['seed']


def test_what_is_in_the_way_is_left_alone(tmp_path, seed):
    (tmp_path / 'hub.git').mkdir()
    (tmp_path / 'hub.git' / 'thesis.tex').write_text('', 'utf-8')
    with pytest.raises(StationError, match='is in the way'):
        Hub.create(tmp_path / 'hub.git', seed=seed)
    assert (tmp_path / 'hub.git' / 'thesis.tex').exists()


def test_what_is_no_hub_is_told(tmp_path):
    with pytest.raises(StationError, match='enpire hub init') as caught:
        Hub(tmp_path)
    assert caught.value.code == ErrorCode.HUB_UNUSABLE


@pytest.mark.parametrize(
    'name', ['1' * 40, 'nothing', '--help', 'main:policy.py', 'main^{tree}', '@{-1}', '', 'a b']
)
def test_what_names_no_commit_is_unknown(hub, name):
    with pytest.raises(StationError) as caught:
        hub.resolve(name)
    assert caught.value.code == ErrorCode.HUB_COMMIT_UNKNOWN


def test_a_blob_is_no_commit(hub):
    blob = git(hub.path, 'rev-parse', 'main:policy.py').text
    with pytest.raises(StationError) as caught:
        hub.subject(blob)
    assert caught.value.code == ErrorCode.HUB_COMMIT_UNKNOWN


def test_a_hub_that_borrows_objects_is_not_served(hub, tmp_path):
    (hub.path / 'objects' / 'info').mkdir(exist_ok=True)
    (hub.path / 'objects' / 'info' / 'alternates').write_text(str(tmp_path), 'utf-8')
    with pytest.raises(StationError, match='borrows objects'):
        hub.prepare()


def test_settings_that_were_changed_are_put_right(hub):
    git(hub.path, 'config', 'receive.fsckObjects', 'false')
    hub.prepare()
    assert git(hub.path, 'config', 'receive.fsckObjects').text == 'true'


def test_a_clone_shares_nothing_with_the_hub(hub, tmp_path):
    clone_for_agent(hub.path, tmp_path / 'clone', 's1')
    inside = tmp_path / 'clone' / '.git'
    hubs = {path.stat().st_ino for path in hub.path.rglob('*') if path.is_file()}
    assert not hubs & {path.stat().st_ino for path in inside.rglob('*') if path.is_file()}
    assert not (inside / 'objects' / 'info' / 'alternates').exists()
    assert git(inside, 'config', 'remote.origin.url').text == URL_INSIDE
    assert git(inside, 'symbolic-ref', 'HEAD').text == 'refs/heads/station/s1'
    assert (tmp_path / 'clone' / 'policy.py').read_text() == 'GAIN = 1\n'


def test_a_clone_works_with_plain_git(agent):
    status = agent.git('status', '--porcelain=v2', '--branch').stdout
    assert 'branch.head station/s1' in status
    assert [line for line in status.splitlines() if not line.startswith('#')] == []
    agent.commit('one')
    assert agent.git('config', '--local', 'user.name').stdout == 's1\n'
    assert agent.git('config', '--local', 'user.email').stdout == 's1@localhost\n'
    assert agent.git('push').returncode == 0
    assert 'ahead' not in agent.git('status', '-sb').stdout


def test_a_clone_goes_on_where_the_station_was(hub, agent, tmp_path):
    made = agent.commit('one', policy__py='GAIN = 2\n')
    agent.push()
    clone_for_agent(hub.path, tmp_path / 'again', 's1')
    assert git(tmp_path / 'again' / '.git', 'rev-parse', 'HEAD').text == made
    assert (tmp_path / 'again' / 'policy.py').read_text() == 'GAIN = 2\n'


def test_results_of_others_are_fetched_by_a_clone(hub, agent, key):
    hub.add_result('s2', hub.main, {'trials': 7}, key)
    agent.git('fetch', '-q')
    assert '"trials":7' in agent.git('log', '-1', '--notes=results-s2', 'origin/main').stdout


def test_a_clone_is_not_made_over_something(hub, tmp_path):
    (tmp_path / 'clone').mkdir()
    (tmp_path / 'clone' / 'x').write_text('', 'utf-8')
    with pytest.raises(StationError, match='in the way'):
        clone_for_agent(hub.path, tmp_path / 'clone', 's1')


def test_an_empty_folder_is_not_in_the_way_of_a_clone(hub, tmp_path):
    (tmp_path / 'clone').mkdir()
    clone_for_agent(hub.path, tmp_path / 'clone', 's1')
    assert (tmp_path / 'clone' / 'policy.py').is_file()


@pytest.mark.parametrize('place', ['nowhere.git', 'file'])
def test_a_clone_that_fails_leaves_nothing(hub, tmp_path, place):
    (tmp_path / 'file').write_text('', 'utf-8')
    before = sorted(tmp_path.iterdir())
    with pytest.raises(StationError) as caught:
        clone_for_agent(tmp_path / place, tmp_path / 'clone', 's1')
    assert caught.value.code == ErrorCode.HUB_GIT_FAILED
    assert sorted(tmp_path.iterdir()) == before


def test_a_clone_that_is_cut_short_leaves_nothing(hub, tmp_path, monkeypatch):
    def fail(repository, *words, **options):
        if 'read-tree' in words:
            raise OSError(28, 'No space left on device')
        return git(repository, *words, **options)

    monkeypatch.setattr(clone, 'git', fail)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(StationError, match='No space left') as caught:
        clone_for_agent(hub.path, tmp_path / 'clone', 's1')
    assert caught.value.code == ErrorCode.HUB_UNUSABLE
    assert sorted(tmp_path.iterdir()) == before


def test_nothing_of_the_users_settings_gets_in(tmp_path, seed, monkeypatch):
    home = tmp_path / 'home'
    (home / 'hooks').mkdir(parents=True)
    told = tmp_path / 'told'
    for name in ('reference-transaction', 'post-checkout', 'post-index-change'):
        (home / 'hooks' / name).write_text(f'#!/bin/sh\necho {name} >> {told}\n', 'utf-8')
        (home / 'hooks' / name).chmod(0o755)
    monkeypatch.setenv('HOME', str(home))
    settings = {'core.hooksPath': str(home / 'hooks'), 'init.defaultBranch': 'trunk'}
    for name, value in settings.items():
        subprocess.run(
            ['git', 'config', '--file', str(home / '.gitconfig'), name, value], check=True,
            env={**os.environ, 'HOME': str(home)},
        )  # fmt: skip
    hub = Hub.create(tmp_path / 'hub.git', seed=seed)
    clone_for_agent(hub.path, tmp_path / 'clone', 's1')
    assert hub.branches() == {}
    assert not told.exists()


@pytest.mark.parametrize('name', ['', '../main', 'a b', 'a/b', '-x', 'x' * 64, 'a.lock'])
def test_a_station_that_no_ref_can_name_is_refused(hub, tmp_path, name):
    with pytest.raises(StationError, match='cannot name a station'):
        clone_for_agent(hub.path, tmp_path / 'clone', name)
