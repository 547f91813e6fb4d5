"""From made-up evidence to eyes that judge evidence they have not seen."""

import dataclasses

import numpy as np
import pytest
from stick_evidence import CROPS, draw, episode

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.environment.learned.fit import fit
from enpire_nodes.environment.learned.weights import load_eyes, save_weights
from enpire_nodes.tasks.api import Outcome

pytestmark = pytest.mark.xdist_group('fitted')


@pytest.fixture(scope='module')
def fitted(labelled):
    return fit('sticks', CROPS, labelled, seed=1, steps=120)


@pytest.fixture
def eyes(fitted, tmp_path):
    save_weights(fitted, tmp_path / 'eyes.npz')
    return load_eyes(tmp_path / 'eyes.npz', task='sticks', crops=CROPS)


@pytest.mark.parametrize('camera', CROPS)
@pytest.mark.parametrize('success', [True, False])
def test_new_pictures_are_judged_rightly(eyes, camera, success):
    rng = np.random.default_rng(77)
    eye = eyes[camera]
    found = [eye.verdict(eye.score(draw(rng, success=success))) for _ in range(60)]
    right, wrong = Outcome(1 + success), Outcome(2 - success)
    assert found.count(right) > 54
    assert wrong not in found


@pytest.mark.parametrize('way', ['missing', 'hidden'])
def test_what_cannot_be_seen_is_no_success(eyes, way):
    rng = np.random.default_rng(78)
    for eye in eyes.values():
        for _ in range(20):
            picture = draw(rng, success=True, **{way: True})
            assert eye.verdict(eye.score(picture)) is not Outcome.SUCCESS


def test_the_file_says_what_it_rests_on(fitted):
    about = fitted.about
    episodes = about['episodes']
    assert sum(part['successes'] for part in episodes.values()) == 60
    assert sum(part['failures'] for part in episodes.values()) == 60
    assert about['seed'] == 1
    assert set(about['versions']) == {'python', 'numpy', 'torch'}
    for eye in fitted.eyes.values():
        assert eye.held_out['failures'] == episodes['calibration']['failures']
        assert eye.held_out['false_positives'] == 0


def test_labels_without_a_cause_give_eyes_that_do_not_know(labelled):
    rng = np.random.default_rng(0)
    coins = [
        episode(seed, label=bool(rng.integers(2)), success=bool(rng.integers(2)), frames=2)
        for seed in range(100, 200)
    ]
    made = fit('sticks', {'side': CROPS['side']}, coins, seed=1, steps=40)
    figures = made.eyes['side'].held_out
    assert figures['false_positives'] == 0
    assert figures['uncertain'] > 0.6 * (figures['successes'] + figures['failures'])


def test_equal_evidence_and_seed_give_equal_weights(labelled):
    first, again, other = (
        fit('sticks', {'side': CROPS['side']}, taken, seed=seed, steps=5)
        for taken, seed in ((labelled, 5), (labelled[::-1], 5), (labelled, 6))
    )
    name = 'conv0.weight'
    assert np.array_equal(first.eyes['side'].arrays[name], again.eyes['side'].arrays[name])
    assert not np.array_equal(first.eyes['side'].arrays[name], other.eyes['side'].arrays[name])


def test_evidence_is_taken_one_by_one(labelled):
    made, lines = iter(labelled), []
    fit('sticks', {'side': CROPS['side']}, made, steps=10, report=lines.append)
    assert next(made, None) is None
    assert lines[0] == '120 episodes, of which 60 are successes'


def test_a_camera_that_only_successes_have_is_refused(labelled):
    blind = [
        one if one.label else dataclasses.replace(one, frames={'side': one.frames['side']})
        for one in labelled
    ]
    with pytest.raises(StationError, match='camera front') as caught:
        fit('sticks', CROPS, blind, steps=2)
    assert caught.value.code is ErrorCode.ENVIRONMENT_TOO_FEW_EPISODES


def test_what_cannot_teach_is_refused():
    with pytest.raises(StationError) as caught:
        fit('sticks', CROPS, [episode(1, success=True)])
    assert caught.value.code is ErrorCode.ENVIRONMENT_UNLABELLED
