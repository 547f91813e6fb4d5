"""The one way to run Git: nobody's settings, an end, and words."""

import os
import time

import psutil
import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.evolution.hub import git as module
from enpire_nodes.evolution.hub.git import clean_environment, git, TooMuchError


@pytest.fixture
def binary(tmp_path, monkeypatch):
    """Return what puts another program in the place of Git."""

    def put(script):
        path = tmp_path / 'bin' / 'git'
        path.parent.mkdir(exist_ok=True)
        path.write_text(f'#!/bin/sh\n{script}\n', 'utf-8')
        path.chmod(0o755)
        monkeypatch.setenv('PATH', f'{path.parent}:{os.environ["PATH"]}')

    return put


def test_gits_words_are_passed_on(tmp_path):
    with pytest.raises(StationError, match='not a git repository') as caught:
        git(tmp_path, 'log')
    assert caught.value.code == ErrorCode.HUB_GIT_FAILED
    assert str(tmp_path) in caught.value.message


def ended(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_one_that_hangs_is_ended_with_its_children(binary, tmp_path):
    told = tmp_path / 'told'
    binary(f'sleep 60 & echo $! > {told}; wait')
    with pytest.raises(StationError, match='took too long'):
        git(None, 'log', deadline=1.0)
    child = int(told.read_text())
    # it was killed, which takes the kernel a moment; by itself it would last for a minute
    deadline = time.monotonic() + 20.0
    while not ended(child) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert ended(child)


def test_one_that_closes_its_output_and_hangs_is_ended(binary):
    binary('exec >&-; sleep 60')
    with pytest.raises(StationError, match='took too long'):
        git(None, 'log', deadline=0.5)


def test_one_that_never_stops_talking_is_ended(binary):
    binary('yes')
    with pytest.raises(TooMuchError, match='more than 1000 bytes'):
        git(None, 'log', most=1000)


def test_without_git_it_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv('PATH', str(tmp_path))
    with pytest.raises(StationError, match='install git'):
        git(None, 'version')


def test_a_disk_that_takes_nothing_is_told(monkeypatch):
    def full(*_, **__):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(module.tempfile, 'TemporaryFile', full)
    with pytest.raises(StationError, match='No space left') as caught:
        git(None, 'version')
    assert caught.value.code == ErrorCode.HUB_GIT_FAILED


def test_long_input_and_output_pass():
    sent = b'x' * 3_000_000
    assert git(None, 'stripspace', content=sent).output == sent + b'\n'


def test_settings_of_the_user_and_the_environment_do_not_count(tmp_path, monkeypatch):
    (tmp_path / '.gitconfig').write_text('[user]\n\tname = Evil\n', 'utf-8')
    monkeypatch.setenv('HOME', str(tmp_path))
    monkeypatch.setenv('GIT_CONFIG_COUNT', '1')
    monkeypatch.setenv('GIT_CONFIG_KEY_0', 'user.email')
    monkeypatch.setenv('GIT_CONFIG_VALUE_0', 'evil')
    monkeypatch.setenv('GIT_DIR', '/nowhere')
    listed = git(None, 'config', '--list').text.lower()
    assert 'evil' not in listed
    assert 'core.fsmonitor=false' in listed
    assert not [name for name in clean_environment() if name.startswith('GIT_CONFIG_KEY')]


def test_hooks_of_a_repository_are_not_run(tmp_path):
    repository = tmp_path / 'x.git'
    git(None, 'init', '-q', '--bare', str(repository))
    hook = repository / 'hooks' / 'reference-transaction'
    hook.parent.mkdir(exist_ok=True)
    hook.write_text('#!/bin/sh\nexit 1\n', 'utf-8')
    hook.chmod(0o755)
    blob = git(repository, 'hash-object', '-w', '--stdin', content=b'x').text
    git(repository, 'update-ref', 'refs/x/y', blob)
    assert git(repository, 'rev-parse', 'refs/x/y').text == blob
