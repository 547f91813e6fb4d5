"""Every way in which a file can differ is named, and the quick look misses none of them."""

import os
import time

import pytest

from enpire_nodes.environment.contract.check import FileWatch
from enpire_nodes.environment.contract.files import digests


@pytest.fixture
def watch(bench) -> FileWatch:
    watch = FileWatch(digests(bench.files), bench.files)
    assert watch.full() == []
    return watch


def test_an_untouched_environment_is_in_order_and_is_not_read_again(bench, watch, monkeypatch):
    def fail(path):
        raise AssertionError(f'{path} was read')

    monkeypatch.setattr('enpire_nodes.environment.contract.check.file_digest', fail)
    assert watch.quick() == []
    with pytest.raises(AssertionError, match='was read'):
        watch.full()


def test_a_changed_byte_is_named(bench, watch):
    bench.path('bench/reward.py').write_text('THRESHOLD = 0.019\n')
    assert watch.quick() == [
        f'bench/reward.py was changed: {bench.path("bench/reward.py")} is not as it was frozen'
    ]
    assert watch.quick() != []  # and it stays so


def test_restored_size_and_times_do_not_hide_a_change(bench, watch):
    time.sleep(0.02)  # coarser clocks of file systems
    bench.swap_content('bench/reward.py', b'THRESHOLD = 0.001\n')
    assert 'bench/reward.py was changed' in watch.quick()[0]


def test_a_file_in_the_place_of_another_is_read(bench, watch):
    path = bench.path('bench/reset.py')
    status = path.stat()
    other = bench.root / 'other'
    other.write_text('HOVER = 0.01\n')
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    other.rename(path)
    assert 'bench/reset.py was changed' in watch.quick()[0]


def test_touching_a_file_changes_nothing(bench, watch):
    bench.path('bench/reset.py').touch()
    bench.path('settings/limits.yaml').chmod(0o600)
    assert watch.quick() == []


@pytest.mark.parametrize('name', ['bench/scoring/seeds.py', 'settings/limits.yaml'])
def test_missing_linked_and_unreadable_files_are_named(bench, watch, name, monkeypatch):
    path = bench.path(name)
    text = path.read_text()
    path.unlink()
    shown = {'settings/limits.yaml': 'settings/limits'}.get(name, name)
    assert watch.quick()[0].startswith(f'{shown} is missing')
    path.write_text(text)
    assert watch.quick() == []
    bench.link(name)
    assert watch.quick()[0].startswith(f'{shown} is a symbolic link now')
    path.unlink()
    path.mkdir()
    if name.startswith('settings'):
        assert watch.quick()[0].startswith(f'{shown} is no regular file any more')


def test_an_unreadable_file_is_named(bench, watch, monkeypatch):
    real = os.open

    def refuse(path, *arguments, **named):
        if str(path).endswith('reward.py'):
            raise PermissionError(13, 'Permission denied')
        return real(path, *arguments, **named)

    monkeypatch.setattr(os, 'open', refuse)
    assert watch.full() == [
        f'bench/reward.py cannot be read (Permission denied): {bench.path("bench/reward.py")}'
    ]


@pytest.mark.parametrize(
    'name', ['bench/reward.cpython-311-x86_64-linux-gnu.so', 'bench/reward/__init__.py', 'bench/b']
)
def test_added_files_are_named(bench, watch, name):
    bench.path(name).parent.mkdir(exist_ok=True)
    bench.path(name).write_text('')
    assert watch.quick()[0].startswith(f'{name} was added')


def test_a_folder_that_became_a_link_is_named(bench, watch):
    folder = bench.path('bench/scoring')
    folder.rename(bench.root / 'moved')
    folder.symlink_to(bench.root / 'moved')
    wrong = watch.quick()
    assert 'bench/scoring was added' in wrong[0]
    assert 'bench/scoring/seeds.py is missing' in ' '.join(wrong)


def test_a_settings_file_that_the_station_no_longer_names_is_missing(bench, watch):
    frozen = digests(bench.files)
    wrong = FileWatch({**frozen, 'settings/more': 'x'}, bench.files).full()
    assert wrong[0].startswith('settings/more is missing')
    assert 'configuration' in wrong[0]
