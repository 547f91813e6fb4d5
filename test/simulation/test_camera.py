"""What can go wrong with a camera, between its sensor and its reader."""

from __future__ import annotations

import numpy as np
import pytest

from enpire_nodes.simulation.camera import CameraFault, CameraStream
from enpire_nodes.simulation.noise import NoiseSettings

SIZE = (8, 6)


def shoot(camera: CameraStream, stamp: float, level: int, noise: NoiseSettings) -> bool:
    """Let one due frame happen; return whether it was drawn."""
    if camera.wants_picture(noise):
        camera.take(np.full((6, 8, 3), level, np.uint8), stamp, noise)
        return True
    if camera.repeats():
        camera.take(None, stamp, noise)
    return False


def test_a_frame_is_delivered_once_and_stays_the_newest():
    camera, noise = CameraStream('side', 0, SIZE), NoiseSettings()
    shoot(camera, 0.1, 7, noise)
    frame = camera.deliver(0.1)
    assert frame.stamp == 0.1
    assert frame.image.shape == (6, 8, 3)
    assert (frame.image == 7).all()
    assert camera.deliver(0.2) is None
    assert camera.newest is frame


def test_latency_delays_delivery_and_keeps_the_exposure_stamp():
    camera, noise = CameraStream('side', 0, SIZE), NoiseSettings(frame_latency=0.15)
    shoot(camera, 1.0, 7, noise)
    assert camera.deliver(1.1) is None
    assert camera.deliver(1.15).stamp == 1.0


def test_a_stopped_camera_sends_nothing_until_it_is_repaired():
    camera, noise = CameraStream('side', 0, SIZE), NoiseSettings()
    camera.fault = CameraFault.STOPPED
    assert not shoot(camera, 0.1, 7, noise)
    assert camera.deliver(1.0) is None
    camera.fault = CameraFault.NONE
    assert shoot(camera, 1.1, 8, noise)
    assert camera.deliver(1.1).stamp == 1.1


def test_a_frozen_camera_repeats_its_picture_to_the_bit_with_fresh_stamps():
    camera, noise = CameraStream('side', 0, SIZE), NoiseSettings(pixel_sd=5.0)
    shoot(camera, 0.1, 100, noise)
    first = camera.deliver(0.1)
    camera.fault = CameraFault.FROZEN
    assert not shoot(camera, 0.2, 200, noise)
    second = camera.deliver(0.2)
    assert second.stamp == 0.2
    np.testing.assert_array_equal(first.image, second.image)


def test_a_camera_frozen_from_the_start_repeats_its_first_picture():
    camera, noise = CameraStream('side', 0, SIZE), NoiseSettings()
    camera.fault = CameraFault.FROZEN
    shoot(camera, 0.1, 50, noise)
    shoot(camera, 0.2, 60, noise)
    assert (camera.deliver(0.2).image == 50).all()


def test_frames_are_lost_at_the_stated_rate():
    camera, noise = CameraStream('side', 0, SIZE), NoiseSettings(frame_drop=0.3)
    drawn = sum(shoot(camera, index / 10, 7, noise) for index in range(1000))
    assert 650 < drawn < 750
    assert camera.dropped == 1000 - drawn


def test_a_fault_that_comes_and_goes_does_not_shift_later_draws():
    noise, healthy, faulty = NoiseSettings(frame_drop=0.5), [], []
    for fates, fault in ((healthy, CameraFault.NONE), (faulty, CameraFault.STOPPED)):
        camera = CameraStream('side', 0, SIZE)
        for index in range(40):
            camera.fault = fault if index < 20 else CameraFault.NONE
            fates.append(shoot(camera, index / 10, 7, noise))
    assert healthy[20:] == faulty[20:]
    assert healthy[:20] != faulty[:20]


def test_an_unknown_fault_is_refused():
    with pytest.raises(ValueError, match='blurred'):
        CameraFault('blurred')
