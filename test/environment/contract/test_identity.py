"""What a process says of itself changes with what it runs and works with, with nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from enpire_nodes.common.cameras import Camera
from enpire_nodes.environment.contract import identity
from enpire_nodes.environment.contract.files import Folder, FrozenFiles
from enpire_nodes.environment.contract.identity import (
    code_digest,
    heard_libraries,
    settings_digest,
    told_libraries,
)
from enpire_nodes.environment.contract.libraries import LIBRARIES, library_digests
from enpire_nodes.tasks.registry import load_task


@pytest.fixture
def cameras() -> dict[str, Camera]:
    places = {'side': (0.3, -0.9, 0.2), 'front': (0.8, -0.3, 0.2)}
    return {
        name: Camera.looking_at(
            name, position=place, target=(0.2, -0.3, 0.0), vertical_fov=0.5, width=320, height=240
        )
        for name, place in places.items()
    }


def test_the_digest_of_settings_is_that_of_task_and_cameras(cameras):
    task = load_task('pin_insertion')
    first = settings_digest(task, cameras)
    assert first == settings_digest(load_task('pin_insertion'), dict(reversed(cameras.items())))
    moved = replace(cameras['side'], position=cameras['side'].position + [1e-6, 0.0, 0.0])
    assert first != settings_digest(task, {**cameras, 'side': moved})
    bent = replace(cameras['front'], matrix=np.array(cameras['front'].matrix) * 1.001)
    assert first != settings_digest(task, {**cameras, 'front': bent})
    assert first != settings_digest(task, {'side': cameras['side']})


def test_the_digest_of_settings_changes_with_the_task(cameras, tmp_path):
    other = tmp_path / 'task.yaml'
    other.write_text('verify: {frames: 5}\n')
    task = load_task('pin_insertion', other)
    assert task.settings != load_task('pin_insertion').settings
    assert settings_digest(task, cameras) != settings_digest(load_task('pin_insertion'), cameras)


def test_a_task_of_another_package_that_says_the_same_of_itself_is_another(cameras):
    task = load_task('pin_insertion')

    class Impostor:
        name = task.name

        def digest(self) -> str:
            return task.digest()

    assert settings_digest(Impostor(), cameras) != settings_digest(task, cameras)


@pytest.fixture
def forgetful():
    """Forget the code that this process has found, before and after."""
    identity.found_code.cache_clear()
    yield
    identity.found_code.cache_clear()


def test_code_is_digested_once_a_process_as_it_was_then(tmp_path, monkeypatch, forgetful):
    (tmp_path / 'a.py').write_text('x = 1\n')
    files = FrozenFiles({'bench': Folder(tmp_path)})
    monkeypatch.setattr(identity, 'core_files', lambda: files)
    first = code_digest()
    (tmp_path / 'a.py').write_text('x = 2\n')
    assert code_digest() == first  # what was imported does not change with the file
    identity.found_code.cache_clear()
    assert code_digest() != first


def test_what_runs_from_elsewhere_is_looked_for_every_time(monkeypatch):
    assert len(code_digest()) == 64
    monkeypatch.setattr(identity, 'process_problems', lambda listing: ['numpy from /evil'])
    assert code_digest() == 'numpy from /evil'


def test_libraries_are_heard_as_they_were_told():
    assert heard_libraries(told_libraries()) == library_digests()


@pytest.mark.parametrize('told', [None, '', 3, 'numpy=1.0 0', [1, 2], ['']])
def test_a_node_that_tells_nonsense_tells_no_library(told):
    assert not set(heard_libraries(told)) & set(LIBRARIES)
