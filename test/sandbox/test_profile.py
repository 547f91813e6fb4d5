"""What may be brought into a sandbox."""

from pathlib import Path

import pytest
from sandbox_support import shut

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.sandbox.profile import covers, graphics_devices, PRIVATE, Profile
from enpire_nodes.sandbox.python import folders


@pytest.mark.parametrize('path', ['/', '/etc', '/root', '/home', '/tmp', '/run', '/proc', '/dev'])
def test_a_folder_that_holds_more_than_is_meant_is_refused(tmp_path, path):
    if not Path(path).exists():
        pytest.skip('not on this machine')
    for field in ('readable', 'writable'):
        with pytest.raises(StationError, match='holds more than a sandbox may see') as caught:
            Profile(tmp_path, **{field: (Path(path),)}).check()
        assert caught.value.code == ErrorCode.SUPERVISOR_BAD_REQUEST


def test_the_users_home_is_refused_by_any_name(tmp_path, monkeypatch):
    home, link = tmp_path / 'home', tmp_path / 'link'
    home.mkdir()
    link.symlink_to(home)
    monkeypatch.setenv('HOME', str(home))
    with pytest.raises(StationError, match='holds more'):
        Profile(tmp_path, readable=(link,)).check()


def test_a_start_in_its_own_folder_brings_in_nothing(tmp_path):
    profile = Profile(PRIVATE)
    assert any(PRIVATE.iterdir())  # this test's own folder, as a rule
    # but for this interpreter and this package, which may lie there
    own = {path.parts[len(PRIVATE.parts)] for path in folders() if path.is_relative_to(PRIVATE)}
    assert set(shut(profile, 'ls', '-A', str(PRIVATE)).split()) == own
    with pytest.raises(StationError, match='holds more'):
        Profile(Path('/etc')).check()


@pytest.mark.parametrize('path', ['relative', '/no/such/folder'])
def test_what_is_not_there_is_named(tmp_path, path):
    with pytest.raises(StationError, match=path):
        Profile(tmp_path, readable=(Path(path),)).check()


@pytest.mark.parametrize('field', ['writable', 'readable', 'frozen'])
def test_links_in_a_folder_that_the_sandbox_may_change_are_refused(tmp_path, field):
    clone, secret = tmp_path / 'clone', tmp_path / 'secret'
    clone.mkdir()
    secret.mkdir()
    (clone / 'judge').symlink_to(secret)
    for name in ('judge', 'judge/verify.py'):
        (secret / 'verify.py').touch()
        named = {'writable': (clone,)}
        named[field] = (*named.get(field, ()), clone / name)
        profile = Profile(clone, **named)
        with pytest.raises(StationError, match='judge is a symbolic link'):
            profile.check()


def test_an_ordinary_profile_passes(tmp_path):
    (tmp_path / 'judge').mkdir()
    Profile(
        tmp_path, writable=(tmp_path,), frozen=(tmp_path / 'judge', tmp_path / 'missing')
    ).check()


def test_a_folder_covers_itself_and_what_lies_in_it():
    folders = (Path('/a/b'),)
    assert covers(folders, Path('/a/b'))
    assert covers(folders, Path('/a/b/c'))
    assert not covers(folders, Path('/a/bc'))


def test_graphics_cards_are_found_one_by_one(tmp_path):
    for name in ('nvidia0', 'nvidia1', 'nvidiactl', 'nvidia-uvm', 'sda', 'null'):
        (tmp_path / name).touch()
    found = {path.name for path in graphics_devices(tmp_path)}
    assert found == {'nvidia0', 'nvidia1', 'nvidiactl', 'nvidia-uvm'}
