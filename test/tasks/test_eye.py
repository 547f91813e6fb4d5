"""Which part of a picture a learned eye is given."""

import json

import numpy as np
import pytest

from enpire_nodes.tasks.eye import Crop, WrongPictureError

CROP = Crop((80, 60), (10, 5, 50, 45), 20)


def test_it_cuts_its_window_and_scales_it():
    image = np.zeros((60, 80, 3), np.uint8)
    image[5:45, 10:50] = (10, 20, 30)
    image[5:25, 10:30] = 200
    crop = CROP(image)
    assert (crop.shape, crop.dtype) == ((20, 20, 3), np.uint8)
    assert (crop[:10, :10] == 200).all()
    assert (crop[10:, 10:] == (10, 20, 30)).all()


@pytest.mark.parametrize(
    'image',
    [
        np.zeros((120, 160, 3), np.uint8),
        np.zeros((60, 80), np.uint8),
        np.zeros((60, 80, 3), np.float32),
    ],
)
def test_other_pictures_are_refused(image):
    with pytest.raises(WrongPictureError, match=r'not uint8 \(60, 80, 3\)'):
        CROP(image)


def test_it_survives_json():
    assert Crop.from_json(json.loads(json.dumps(CROP.to_json()))) == CROP


@pytest.mark.parametrize('window', [(10, 5, 10, 45), (-1, 5, 50, 45), (10, 5, 50, 61)])
def test_windows_that_show_nothing_are_refused(window):
    with pytest.raises(ValueError, match='window'):
        Crop((80, 60), window)
