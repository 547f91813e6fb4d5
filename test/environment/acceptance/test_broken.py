"""Ways to break a judge: each changes one thing."""

from types import SimpleNamespace

import numpy as np
from pin_bench import STATION

from enpire_nodes.common.cameras import cameras_from_settings
from enpire_nodes.environment.acceptance.broken import broken_judges, HEALTHY, TURN
from enpire_nodes.environment.setup import JudgeSetup
from enpire_nodes.simulation.settings import load_station
from enpire_nodes.tasks.pin_insertion.task import PinInsertion

TASK = PinInsertion()
KNOWN = cameras_from_settings(load_station(STATION)['cameras'])
CAMERAS = {name: KNOWN[name] for name in TASK.cameras}


def broken(**fields):
    setup = {'task': TASK, 'cameras': CAMERAS, 'station': {}, **fields}
    return dict(broken_judges(JudgeSetup(**setup)))


def test_every_camera_is_turned_and_nothing_else():
    found = broken()
    turned = [f'{name} camera turned 3°' for name in CAMERAS]
    assert list(found) == [HEALTHY, *turned, 'thresholds moved']
    for name in CAMERAS:
        cameras = found[f'{name} camera turned 3°'].cameras
        for other, camera in cameras.items():
            between = camera.rotation.T @ CAMERAS[other].rotation
            angle = np.arccos((np.trace(between) - 1.0) / 2.0)
            assert np.isclose(angle, TURN if other == name else 0.0, atol=1e-6)
            assert np.array_equal(camera.position, CAMERAS[other].position)


def test_moved_thresholds_are_another_judge():
    found = broken()
    kinder = found['thresholds moved'].task
    assert kinder.settings.verify.depth < TASK.settings.verify.depth
    assert kinder.settings.pin == TASK.settings.pin
    assert TASK.settings == PinInsertion().settings


def test_eyes_are_exchanged_if_there_are_some():
    found = broken(eyes={'side': 'a', 'front': 'b'})
    assert found['weights exchanged'].eyes == {'side': 'b', 'front': 'a'}
    assert 'weights exchanged' not in broken(eyes={'side': 'a'})


def test_a_task_without_thresholds_to_move_is_broken_otherwise():
    found = broken(task=SimpleNamespace(name='other'))
    assert 'thresholds moved' not in found
    assert len(found) == 3
