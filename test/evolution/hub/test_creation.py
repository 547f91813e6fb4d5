"""A hub is made whole or not at all; what is right in it is left alone."""

import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.evolution.hub.creation import create, prepare
from enpire_nodes.evolution.hub.git import git


def test_what_git_ignores_stays_and_another_repository_is_none_of_it(tmp_path, seed):
    (seed / '.gitignore').write_text('secret\n', 'utf-8')
    (seed / 'secret').write_text('key\n', 'utf-8')
    git(None, 'init', '-q', '--template=', str(seed))
    create(tmp_path / 'hub.git', seed)
    listed = git(tmp_path / 'hub.git', 'ls-tree', '-r', '--name-only', 'main').text.splitlines()
    assert '.gitignore' in listed
    assert 'secret' not in listed
    assert not [name for name in listed if name.startswith('.git/')]


def test_an_empty_folder_is_not_in_the_way(tmp_path, seed):
    (tmp_path / 'hub.git').mkdir()
    create(tmp_path / 'hub.git', seed)
    assert git(tmp_path / 'hub.git', 'rev-list', '--count', 'main').text == '1'


def test_a_file_is_in_the_way(tmp_path, seed):
    (tmp_path / 'hub.git').write_text('thesis', 'utf-8')
    with pytest.raises(StationError, match='is in the way'):
        create(tmp_path / 'hub.git', seed)
    assert (tmp_path / 'hub.git').read_text('utf-8') == 'thesis'


def test_a_place_that_cannot_be_written_is_told(tmp_path, seed):
    (tmp_path / 'file').write_text('', 'utf-8')
    with pytest.raises(StationError, match='cannot be written') as caught:
        create(tmp_path / 'file' / 'hub.git', seed)
    assert caught.value.code == ErrorCode.HUB_UNUSABLE


def test_a_hub_without_files_is_made(tmp_path):
    (tmp_path / 'empty').mkdir()
    create(tmp_path / 'hub.git', tmp_path / 'empty')
    assert git(tmp_path / 'hub.git', 'ls-tree', 'main').text == ''


def test_a_git_that_fails_leaves_nothing(tmp_path, seed, monkeypatch):
    monkeypatch.setenv('PATH', str(tmp_path / 'nothing'))
    with pytest.raises(StationError) as caught:
        create(tmp_path / 'hub.git', seed)
    assert caught.value.code == ErrorCode.HUB_GIT_FAILED
    assert sorted(path.name for path in tmp_path.iterdir()) == ['seed']


def test_what_is_right_is_not_written_again(hub):
    before = (hub.path / 'config').stat()
    prepare(hub.path)
    after = (hub.path / 'config').stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.parametrize(
    ('name', 'value'),
    [
        ('receive.denyNonFastForwards', 'true'),
        ('receive.fsckObjects', 'true'),
        ('transfer.hideRefs', 'refs/incoming'),
        ('gc.auto', '0'),
    ],
)
def test_a_hub_that_was_made_elsewhere_gets_the_settings(tmp_path, name, value):
    path = tmp_path / 'plain.git'
    git(None, 'init', '-q', '--bare', '--template=', str(path))
    prepare(path)
    assert git(path, 'config', '--local', name).text == value
    assert (path / 'hooks' / 'pre-receive').is_file()


def test_a_hook_that_cannot_be_written_is_told(hub):
    (hub.path / 'hooks' / 'pre-receive').unlink()
    (hub.path / 'hooks').rmdir()
    (hub.path / 'hooks').write_text('', 'utf-8')
    with pytest.raises(StationError, match='the hook of') as caught:
        prepare(hub.path)
    assert caught.value.code == ErrorCode.HUB_UNUSABLE
