"""Noise: repeatable for a seed, of the stated size, and each source by itself."""

from __future__ import annotations

import numpy as np
import pytest

from enpire_nodes.simulation.noise import Drift, NoiseSettings, PixelNoise, stream


def test_streams_repeat_for_a_seed_and_differ_between_names():
    draws = stream(3, 'camera').standard_normal(5)
    np.testing.assert_array_equal(draws, stream(3, 'camera').standard_normal(5))
    assert not np.array_equal(draws, stream(3, 'force').standard_normal(5))
    assert not np.array_equal(draws, stream(4, 'camera').standard_normal(5))


def test_drift_is_stationary_with_the_stated_spread():
    drifts = [Drift(stream(seed, 'drift')) for seed in range(600)]
    start = np.array([drift.value(0.004) for drift in drifts])
    for drift in drifts:
        for _ in range(20):
            drift.advance(10.0, 60.0)
    end = np.array([drift.value(0.004) for drift in drifts])
    for values in (start, end):
        assert np.abs(values.mean(axis=0)).max() < 0.0006
        np.testing.assert_allclose(values.std(axis=0), 0.004, rtol=0.1)


def test_drift_forgets_within_its_time_constant():
    drifts = [Drift(stream(seed, 'drift')) for seed in range(800)]
    start = np.array([drift.value(1.0) for drift in drifts])
    for drift in drifts:
        drift.advance(60.0, 60.0)
    end = np.array([drift.value(1.0) for drift in drifts])
    correlation = (start * end).mean(axis=0)
    np.testing.assert_allclose(correlation, np.exp(-1.0), atol=0.12)


def test_drift_wanders_slowly():
    drift = Drift(stream(1, 'drift'))
    before = drift.value(0.004)
    drift.advance(1.0 / 30.0, 120.0)
    step = np.linalg.norm(drift.value(0.004) - before)
    assert 0.0 < step < 0.0006


def test_pixel_noise_has_the_stated_size_and_is_fresh_each_time():
    noise = PixelNoise(stream(0, 'pixels'), 240 * 320 * 3)
    grey = np.full((240, 320, 3), 128, np.uint8)
    first, second = noise.apply(grey, 4.0), noise.apply(grey, 4.0)
    assert first.dtype == np.uint8
    assert first.shape == grey.shape
    assert abs((first.astype(float) - 128.0).std() - 4.0) < 0.1
    assert not np.array_equal(first, second)


def test_pixel_noise_saturates_instead_of_wrapping():
    noise = PixelNoise(stream(0, 'pixels'), 100 * 100 * 3)
    black, white = np.zeros((100, 100, 3), np.uint8), np.full((100, 100, 3), 255, np.uint8)
    assert noise.apply(black, 10.0).max() < 80
    assert noise.apply(white, 10.0).min() > 175


def test_no_pixel_noise_returns_the_picture_itself():
    image = np.zeros((4, 5, 3), np.uint8)
    assert PixelNoise(stream(0, 'pixels'), image.size).apply(image, 0.0) is image


@pytest.mark.parametrize(
    'bad',
    [
        {'force_sd': -1.0},
        {'pixel_sd': float('nan')},
        {'frame_drop': 1.5},
        {'light_variation': 1.0},
        {'drift_time': 0.0},
        {'command_latency': float('inf')},
    ],
)
def test_impossible_noise_is_refused_by_name(bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        NoiseSettings(**bad)
