"""What an agent leaves behind in its lodging, and the next supervisor that moves it in again."""

from __future__ import annotations

import json
import os
import shutil

from git_support import git
import pytest

from enpire_nodes.evolution.agents.claude import Claude
from enpire_nodes.evolution.agents.codex import Codex
from enpire_nodes.evolution.hub.names import branch
from enpire_nodes.evolution.hub.repository import Hub
from enpire_nodes.evolution.hub.seed import seed_files
from enpire_nodes.evolution.lodging import is_clone, Lodging


@pytest.fixture
def hub(tmp_path) -> Hub:
    seed = tmp_path / 'seed'
    seed_files(seed, 'pin_insertion')
    return Hub.create(tmp_path / 'run' / 'research' / 'hub.git', seed=seed)


@pytest.fixture
def lodging(tmp_path, hub) -> Lodging:
    run = tmp_path / 'run'
    lodging = Lodging(run / 'research' / 'agent', run, 'station_1', 'pin_insertion', '', {})
    lodging.prepare(hub)
    return lodging


@pytest.mark.parametrize('adapter', [Codex, Claude])
@pytest.mark.parametrize(
    'name',
    [
        '.codex',
        '.codex/config.toml',
        '.claude.json',
        '.codex/.config.toml.{pid}.tmp',
        '..claude.json.{pid}.tmp',
    ],
)
def test_no_link_in_the_home_has_the_station_write_elsewhere(
    lodging, hub, tmp_path, adapter, name
):  # fmt: skip
    victim = tmp_path / 'victim'
    victim.mkdir()
    ledger = victim / 'config.toml'
    ledger.write_text('precious')
    place = lodging.home / name.format(pid=os.getpid())
    place.parent.mkdir(exist_ok=True)
    place.symlink_to(victim if name == '.codex' else ledger)
    lodging.prepare(hub)
    adapter().prepare(lodging.home, model='m', base_url='http://127.0.0.1:8080')
    assert ledger.read_text() == 'precious'
    assert [path.name for path in victim.iterdir()] == ['config.toml']


def test_no_pipe_or_loop_in_the_home_holds_the_station_up(lodging, hub):
    folder = lodging.home / '.codex'
    folder.mkdir()
    os.mkfifo(folder / f'.config.toml.{os.getpid()}.tmp')
    (folder / 'loop').symlink_to('loop')
    os.mkfifo(lodging.home / f'..claude.json.{os.getpid()}.tmp')
    lodging.prepare(hub)
    for adapter in (Codex(), Claude()):
        adapter.prepare(lodging.home, model='m', base_url='http://127.0.0.1:8080')
    assert (folder / 'config.toml').is_file()
    assert (lodging.home / '.claude.json').is_file()


def test_what_an_agent_keeps_in_its_home_stays(lodging, hub):
    (lodging.home / 'notes').write_text('mine')
    (lodging.home / 'link').symlink_to('notes')
    lodging.prepare(hub)
    assert (lodging.home / 'link').read_text() == 'mine'


@pytest.mark.parametrize('how', ['removed', 'a link', 'a file', 'without a head'])
def test_a_clone_that_was_wrecked_is_made_anew_of_what_was_pushed(lodging, hub, tmp_path, how):
    git(lodging.workspace, 'commit', '-q', '--allow-empty', '-m', 'an idea that was pushed')
    git(lodging.workspace, 'push', '-q', str(hub.path), f'HEAD:{branch("station_1")}')
    inside = lodging.workspace / '.git'
    if how == 'without a head':
        (inside / 'HEAD').unlink()
    else:
        inside.rename(tmp_path / 'elsewhere')
    if how == 'a link':
        inside.symlink_to(tmp_path / 'elsewhere')
    elif how == 'a file':
        inside.write_text('gitdir: /etc')
    (lodging.workspace / 'draft.py').write_text('not pushed')
    lodging.prepare(hub)
    assert is_clone(lodging.workspace)
    assert git(lodging.workspace, 'log', '-1', '--format=%s') == 'an idea that was pushed'
    (wrecked,) = lodging.directory.glob('workspace-wrecked-*')
    assert (wrecked / 'draft.py').read_text() == 'not pushed'


def test_locks_of_a_killed_git_are_removed_and_nothing_that_a_link_leads_to(lodging, tmp_path):
    other = tmp_path / 'other'
    other.mkdir()
    (other / 'index.lock').touch()
    inside = lodging.workspace / '.git'
    (inside / 'index.lock').touch()
    (inside / 'refs' / 'heads' / 'x.lock').touch()
    (inside / 'led').symlink_to(other)
    lodging.unlock()
    assert not list(inside.glob('index.lock'))
    assert not (inside / 'refs' / 'heads' / 'x.lock').exists()
    assert (other / 'index.lock').exists()
    git(lodging.workspace, 'commit', '-q', '--allow-empty', '-m', 'it goes on')


@pytest.mark.parametrize('how', ['a file', 'a link', 'a folder with a link'])
def test_what_was_committed_as_the_stations_folder_makes_room_for_it(lodging, hub, tmp_path, how):
    local, victim = lodging.workspace / '.enpire', tmp_path / 'victim'
    victim.mkdir()
    shutil.rmtree(local)
    if how == 'a link':
        local.symlink_to(victim)
    elif how == 'a file':
        local.write_text('mine')
    else:  # by the name that the station writes to first
        local.mkdir()
        (local / f'.workspace.json.{os.getpid()}.tmp').symlink_to(victim / 'overwritten')
    git(lodging.workspace, 'add', '-f', '.enpire')
    git(lodging.workspace, 'commit', '-q', '-m', 'a trap')
    # as from another hub: this one refuses links
    git(hub.path, 'fetch', '-q', str(lodging.workspace), f'+HEAD:{branch("station_1")}')
    shutil.rmtree(lodging.workspace)
    lodging.prepare(hub)
    assert git(lodging.workspace, 'log', '-1', '--format=%s') == 'a trap'
    assert not list(victim.iterdir())
    assert json.loads((local / 'workspace.json').read_text())['station'] == '/station_1'
