"""The file of weights: what it keeps, and every way in which it may be wrong."""

import hashlib
import io
import json
import subprocess
import sys

import numpy as np
import pytest
from stick_evidence import CROPS

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.environment.learned.network import Architecture
from enpire_nodes.environment.learned.thresholds import Range
from enpire_nodes.environment.learned.weights import (
    EyeWeights,
    load_eyes,
    read_weights,
    save_weights,
    Weights,
)
from enpire_nodes.tasks.api import Outcome
from enpire_nodes.tasks.eye import Crop

PICTURE = np.random.default_rng(3).integers(0, 256, (60, 80, 3)).astype(np.uint8)


def weights(crops=CROPS, task='sticks'):
    rng = np.random.default_rng(0)
    architecture = Architecture(32, (4, 6), (3, 3), 8)
    eyes = {
        name: EyeWeights(
            crop,
            architecture,
            {
                key: rng.normal(0.0, 0.2, shape).astype(np.float32)
                for key, shape in architecture.shapes().items()
            },
            2.0,
            Range(0.2, 0.9),
            {'failures': 12},
        )
        for name, crop in crops.items()
    }
    return Weights(task, eyes, {'seed': 4, 'data': 'abc'})


@pytest.fixture
def path(tmp_path):
    return tmp_path / 'deep' / 'eyes.npz'


def test_what_is_saved_is_loaded(path):
    made = weights()
    digest = save_weights(made, path)
    assert digest == hashlib.sha256(path.read_bytes()).hexdigest()
    read = read_weights(path)
    assert (read.task, dict(read.about)) == ('sticks', made.about)
    for name, eye in made.eyes.items():
        same = read.eyes[name]
        assert (same.crop, same.architecture) == (eye.crop, eye.architecture)
        assert (same.temperature, same.thresholds) == (eye.temperature, eye.thresholds)
        assert same.held_out == eye.held_out
        assert all(np.array_equal(same.arrays[key], value) for key, value in eye.arrays.items())


def test_equal_weights_make_equal_files_and_others_do_not(path):
    assert save_weights(weights(), path) == save_weights(weights(), path)
    other = weights()
    other.eyes['side'].arrays['out.bias'][0] += 1e-6
    assert save_weights(other, path) != save_weights(weights(), path)


def test_loaded_eyes_judge_and_carry_the_digest(path):
    digest = save_weights(weights(), path)
    eyes = load_eyes(path, task='sticks', crops=CROPS)
    assert set(eyes) == set(CROPS)
    assert {eye.digest for eye in eyes.values()} == {digest}
    assert 0.0 < eyes['side'].score(PICTURE) < 1.0
    assert eyes['side'].score(PICTURE) != eyes['front'].score(PICTURE)
    said = [eyes['side'].verdict(score) for score in (0.20, 0.21, 0.89, 0.90)]
    assert said == [Outcome.FAILURE, Outcome.UNCERTAIN, Outcome.UNCERTAIN, Outcome.SUCCESS]


def refusal(path, task='sticks', crops=CROPS):
    with pytest.raises(StationError) as caught:
        load_eyes(path, task=task, crops=crops)
    assert caught.value.code is ErrorCode.ENVIRONMENT_WEIGHTS_UNUSABLE
    assert str(path) in caught.value.message
    assert 'enpire environment fit' in caught.value.message
    return caught.value.message


def test_a_file_that_is_not_there_is_refused(path):
    assert 'No such file' in refusal(path)


def test_every_cut_and_many_flipped_bytes_are_refused(path):
    save_weights(weights(), path)
    whole = path.read_bytes()
    for length in range(0, len(whole), 997):
        path.write_bytes(whole[:length])
        refusal(path)
    refused = ignored = 0
    for place in range(40, len(whole), 499):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        try:
            load_eyes(path, task='sticks', crops=CROPS)
        except StationError as error:
            refused += error.code is ErrorCode.ENVIRONMENT_WEIGHTS_UNUSABLE
        else:
            ignored += 1
    assert refused > 5 * ignored  # a zip file does not check all of its directory


def test_another_task_is_refused(path):
    save_weights(weights(), path)
    assert 'task sticks, not for knots' in refusal(path, task='knots')


def test_other_cameras_are_refused(path):
    save_weights(weights(), path)
    message = refusal(path, crops={'side': CROPS['side'], 'gantry': CROPS['front']})
    assert 'front, side' in message
    assert 'gantry, side' in message


def test_another_calibration_is_refused(path):
    save_weights(weights(), path)
    moved = {**CROPS, 'front': Crop((80, 60), (11, 0, 71, 60), 32)}
    message = refusal(path, crops=moved)
    assert 'camera front' in message
    assert 'calibration' in message


def rewritten(path, change):
    """Save weights of which ``change`` gets header and arrays first."""
    save_weights(weights(), path)
    with np.load(io.BytesIO(path.read_bytes())) as stored:
        arrays = dict(stored)
    header = json.loads(str(arrays['about']))
    change(header, arrays)
    arrays['about'] = np.array(json.dumps(header))
    np.savez(path, **arrays)


@pytest.mark.parametrize(
    ('change', 'words'),
    [
        (lambda header, arrays: header.update(format=2), 'format 2'),
        (lambda header, arrays: header.pop('task'), 'task'),
        (lambda header, arrays: arrays.pop('side/out.bias'), 'out.bias'),
        (
            lambda header, arrays: arrays.update({'side/out.bias': np.zeros(2, np.float32)}),
            'out.bias',
        ),
        (lambda header, arrays: header['cameras']['side'].update(temperature=-1.0), 'temperature'),
        (lambda header, arrays: header['cameras']['side'].update(thresholds=[0.9, 0.2]), 'range'),
        (lambda header, arrays: header['cameras']['side']['crop'].update(size=64), '64 px'),
        (
            lambda header, arrays: header['cameras']['side']['crop'].update(window=[0, 0, 90, 60]),
            'window',
        ),
        (
            lambda header, arrays: arrays['front/out.bias'].fill(np.nan),
            'not finite',
        ),
    ],
)
def test_content_that_does_not_fit_is_refused(path, change, words):
    rewritten(path, change)
    assert words in refusal(path)


def test_a_pickle_is_never_loaded(path):
    marker = path.parent / 'ran'

    class Bomb:
        def __reduce__(self):
            return marker.write_text, ('',)

    path.parent.mkdir()
    np.savez(path, about=np.array([Bomb()], dtype=object))
    refusal(path)
    assert not marker.exists()


def test_eyes_see_without_torch(path):
    save_weights(weights(), path)
    code = (
        'import sys, numpy as np\n'
        'from pathlib import Path\n'
        'from stick_evidence import CROPS\n'
        'from enpire_nodes.environment.learned.weights import load_eyes\n'
        'eyes = load_eyes(Path(sys.argv[1]), task="sticks", crops=CROPS)\n'
        'eyes["side"].score(np.zeros((60, 80, 3), np.uint8))\n'
        'assert not {"torch", "scipy"} & set(sys.modules)\n'
    )
    subprocess.run(
        [sys.executable, '-c', f'import sys; sys.path.insert(0, "test")\n{code}', str(path)],
        check=True,
        timeout=50,
    )
