"""What a policy that learns from pictures is shown."""

import numpy as np
import pytest

from enpire_nodes.common.types import Frame
from enpire_nodes.rollout.policy.pictures import Pictures, pictures_for
from enpire_nodes.tasks.eye import Crop, WrongPictureError

CROPS = {
    'side': Crop((30, 20), (10, 5, 20, 15)),
    'front': Crop((30, 20), (0, 0, 30, 20)),
}


def frame(stamp, colour):
    image = np.zeros((20, 30, 3), np.uint8)
    image[5:15, 10:20] = colour
    return Frame(stamp, image)


@pytest.fixture
def pictures():
    return Pictures(CROPS, 8)


def test_before_the_first_picture_it_is_dark(pictures):
    shown = pictures({})
    assert set(shown) == {'image/side', 'image/front'}
    for image in shown.values():
        assert (image.shape, image.dtype) == ((8, 8, 3), np.uint8)
        assert not image.any()


def test_the_crop_of_the_task_is_shown_in_the_size_of_the_policy(pictures):
    shown = pictures({'side': frame(0.0, (10, 20, 30)), 'wrist': frame(0.0, 255)})
    assert set(shown) == {'image/side', 'image/front'}, 'only what the task is judged by'
    np.testing.assert_array_equal(shown['image/side'], np.broadcast_to((10, 20, 30), (8, 8, 3)))
    assert not shown['image/front'].any()


def test_a_picture_is_cut_once(monkeypatch):
    cut = []
    call = Crop.__call__
    monkeypatch.setattr(Crop, '__call__', lambda self, image: cut.append(1) or call(self, image))
    pictures = Pictures(CROPS, 8)
    first = pictures({'side': frame(1.0, 10)})
    again = pictures({'side': frame(1.0, 99)})
    assert len(cut) == 1
    assert again['image/side'] is first['image/side']
    newer = pictures({'side': frame(2.0, 50)})
    assert len(cut) == 2
    assert newer['image/side'].max() == 50
    assert first['image/side'].max() == 10, 'what was shown stays as it was'


def test_an_older_picture_or_none_keeps_the_newest(pictures):
    pictures({'side': frame(2.0, 50)})
    for frames in ({'side': frame(1.0, 10)}, {}):
        assert pictures(frames)['image/side'].max() == 50


def test_a_picture_of_another_size_is_refused(pictures):
    with pytest.raises(WrongPictureError):
        pictures({'side': Frame(0.0, np.zeros((10, 10, 3), np.uint8))})


@pytest.mark.parametrize('settings', [{}, {'images': 0}])
def test_a_policy_that_asks_for_none_gets_none_of_any_task(settings):
    assert pictures_for(settings, None) is None


def test_a_policy_gets_the_size_that_it_asks_for():
    shown = pictures_for({'images': 16}, lambda: CROPS)({})
    assert {image.shape for image in shown.values()} == {(16, 16, 3)}
