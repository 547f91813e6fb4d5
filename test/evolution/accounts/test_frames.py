"""Pictures and films come out of a bag."""

import cv2
from motion_support import write_bag
import numpy as np
import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.evolution.accounts import clip, picture
from enpire_nodes.evolution.accounts.frames import cameras, compressed_frames


@pytest.fixture(scope='module')
def bag(tmp_path_factory):
    return write_bag(tmp_path_factory.mktemp('bags') / 'bag', {}, pictures=11)


def test_the_moment_is_a_share_of_the_recording(bag):
    for moment, brightness in ((0.0, 20), (0.5, 120), (1.0, 220), (7.0, 220)):
        content = np.frombuffer(picture(bag, 'side', moment), np.uint8)
        image = cv2.imdecode(content, cv2.IMREAD_COLOR)
        assert image.shape == (96, 128, 3)
        assert image[80:, 100:].mean() == pytest.approx(brightness, abs=4)


def test_only_the_camera_that_is_asked_for_is_read(bag):
    assert cameras(bag) == ['front', 'side']
    assert list(compressed_frames(bag, camera='front')) == ['front']
    assert len(compressed_frames(bag)['side']) == 11


def test_a_film_has_every_picture_at_its_pace(bag, tmp_path):
    content, kind = clip(bag, 'front')
    assert kind == 'video/mp4'
    (tmp_path / 'clip.mp4').write_bytes(content)
    film = cv2.VideoCapture(str(tmp_path / 'clip.mp4'))
    assert film.get(cv2.CAP_PROP_FRAME_COUNT) == 11
    assert film.get(cv2.CAP_PROP_FPS) == pytest.approx(10.0, abs=0.1)
    film.release()


@pytest.mark.parametrize('make', [picture, clip])
def test_a_camera_that_is_not_there_is_named_with_those_that_are(bag, make, tmp_path):
    with pytest.raises(StationError, match="no camera 'top'; there are: front, side") as caught:
        make(bag, 'top')
    assert caught.value.code is ErrorCode.IMPROVEMENT_REPLAY_UNREADABLE
    with pytest.raises(StationError, match='there is no bag'):
        make(tmp_path / 'none', '')
    empty = write_bag(tmp_path / 'empty', {})
    with pytest.raises(StationError, match='there are: none'):
        make(empty, '')
