"""The task as a whole: its digest, its constants."""

import numpy as np
import pytest

from enpire_nodes.tasks.pin_insertion import task as module
from enpire_nodes.tasks.pin_insertion.task import PinInsertion


def test_the_digest_changes_with_the_settings(tmp_path):
    path = tmp_path / 'task.yaml'
    path.write_text('verify: {depth: 0.018}\n')
    assert PinInsertion().digest() == PinInsertion().digest()
    assert PinInsertion(path).digest() != PinInsertion().digest()


def test_the_digest_covers_every_file_but_those_of_simulation_and_audits(monkeypatch):
    here = module.Path(module.__file__).parent
    files = {path.stem for path in here.glob('*.py')} - {
        '__init__', 'scene', 'staging', 'second_opinion', 'second_sight',
    }  # fmt: skip
    assert files == set(module._FROZEN)


def test_the_digest_changes_with_the_code(monkeypatch):
    before = PinInsertion().digest()
    monkeypatch.setattr(module, '_FROZEN', module._FROZEN[1:])
    assert PinInsertion().digest() != before


def test_constants_for_controllers_are_consistent():
    task = PinInsertion()
    motion = task.motion
    assert 0.0 < motion['success_depth'] < motion['hole_depth']
    assert motion['grip_width'] < 2.0 * task.settings.pin.radius
    assert motion['grasp_height'] < task.settings.pin.length
    assert np.linalg.norm(task.hand_down) == pytest.approx(1.0)
