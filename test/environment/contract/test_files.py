"""Which files are frozen, what they are called, and which are no files."""

import os

import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.environment.contract import files as contract
from enpire_nodes.environment.contract.files import (
    combined_digest,
    core_files,
    digests,
    environment_files,
    file_digest,
    Folder,
    FrozenFiles,
    task_files,
)
from enpire_nodes.tasks.registry import load_task


def test_the_judge_the_reset_the_gate_the_scoring_and_the_world_are_frozen():
    names = set(environment_files(load_task('pin_insertion'), {}).listing())
    assert {
        'enpire_nodes/environment/reward_classifier.py',
        'enpire_nodes/environment/safety/filter.py',
        'enpire_nodes/environment/contract/check.py',
        'enpire_nodes/tasks/pin_insertion/verify.py',
        'enpire_nodes/tasks/pin_insertion/scene.py',
        'enpire_nodes/tasks/motion.py',
        'enpire_nodes/rollout/statistics.py',
        'enpire_nodes/rollout/trial/protocol.py',
        'enpire_nodes/rollout/trial/seeds.py',
        'enpire_nodes/rollout/ledger/chain.py',
        'enpire_nodes/drivers/simulated/station.py',
        'enpire_nodes/simulation/bench.py',
        'enpire_nodes/__init__.py',
    } <= names
    left_out = ('rollout/controllers/', 'cli/', '__pycache__')
    assert not [name for name in names if any(part in name for part in left_out)]


def test_the_files_are_those_of_the_modules_that_run():
    listing = core_files().listing()
    assert listing['enpire_nodes/environment/contract/files.py'].samefile(contract.__file__)


def test_the_task_is_found_where_its_class_is_even_outside_of_the_package(tmp_path, monkeypatch):
    (tmp_path / 'lab_task.py').write_text('class Task: pass\n')
    (tmp_path / 'other.py').write_text('')
    monkeypatch.syspath_prepend(tmp_path)
    import lab_task

    assert list(task_files(lab_task.Task()).listing()) == ['lab_task.py']
    package = tmp_path / 'lab' / 'insertion'
    package.mkdir(parents=True)
    (package / '__init__.py').write_text('class Task: pass\n')
    (package / 'judge.py').write_text('')
    from lab.insertion import Task

    names = set(task_files(Task()).listing())
    assert names == {'lab/insertion/__init__.py', 'lab/insertion/judge.py'}


def test_settings_are_named_by_what_they_are(tmp_path):
    limits = tmp_path / 'whatever.yaml'
    limits.write_text('')
    listing = environment_files(
        load_task('pin_insertion'), {'limits': limits, 'weights': None}
    ).listing()
    assert listing['settings/limits'] == limits
    assert 'settings/weights' not in listing


def test_a_folder_lists_what_python_could_import_and_nothing_else(tmp_path):
    for name in ('a.py', 'a.so', 'b/c.py', 'b/__pycache__/c.pyc', '.a.py.swp', 'out/d.py'):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text('')
    assert set(Folder(tmp_path, without=('out',)).entries()) == {'a.py', 'a.so', 'b/c.py'}
    assert set(Folder(tmp_path, deep=False).entries()) == {'a.py', 'a.so'}


def test_links_are_listed_and_not_followed(tmp_path):
    (tmp_path / 'real').mkdir()
    (tmp_path / 'real' / 'a.py').write_text('')
    (tmp_path / 'linked').symlink_to(tmp_path / 'real')
    assert set(Folder(tmp_path).entries()) == {'real/a.py', 'linked'}


def test_only_regular_files_have_a_digest(tmp_path):
    content = tmp_path / 'a'
    content.write_bytes(b'abc')
    assert file_digest(content).startswith('ba7816bf')
    (tmp_path / 'link').symlink_to(content)
    os.mkfifo(tmp_path / 'pipe')
    for name, words in (
        ('link', 'symbolic link'),
        ('pipe', 'no regular file'),
        ('gone', 'is missing'),
        ('.', 'no regular file'),
    ):
        with pytest.raises(StationError, match=words) as caught:
            file_digest(tmp_path / name)
        assert caught.value.code is ErrorCode.ENVIRONMENT_CHANGED
    with pytest.raises(StationError, match=r'link is a symbolic link.*regular files can be'):
        digests(FrozenFiles(single={'link': tmp_path / 'link'}))


def test_the_combined_digest_sees_names_and_contents():
    one = combined_digest({'a': '1', 'b': '2'})
    assert one == combined_digest({'b': '2', 'a': '1'})
    assert one != combined_digest({'a': '2', 'b': '1'})
