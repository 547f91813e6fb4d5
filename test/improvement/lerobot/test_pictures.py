"""Pictures in a table."""

import io

import numpy as np
from PIL import Image
import pytest

from enpire_nodes.improvement.lerobot.pictures import decode, encode


def test_pictures_come_back_as_they_were():
    images = np.random.default_rng(0).integers(0, 256, (3, 5, 7, 3), dtype=np.uint8)
    np.testing.assert_array_equal(decode(encode(images)), images)


def test_red_is_red_for_others_too():
    red = np.zeros((1, 4, 4, 3), dtype=np.uint8)
    red[..., 0] = 200
    assert Image.open(io.BytesIO(encode(red)[0])).getpixel((0, 0)) == (200, 0, 0)


@pytest.mark.parametrize('file', [None, b'', b'no picture'])
def test_what_is_no_picture_is_told(file):
    with pytest.raises(ValueError, match='a picture is'):
        decode([file])
