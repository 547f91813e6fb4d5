"""Changed pictures still show what they showed, or are no success any more."""

import numpy as np
from stick_evidence import CROPS, draw

from enpire_nodes.environment.learned.augmentation import augment


def batch(n=240):
    rng = np.random.default_rng(2)
    labels = np.arange(n) % 2 == 0
    crops = np.stack([CROPS['side'](draw(rng, success=bool(label))) for label in labels])
    return crops, labels


def test_equal_seeds_make_equal_pictures_and_leave_the_originals():
    crops, labels = batch(20)
    before = crops.copy()
    one, _ = augment(crops, labels, np.random.default_rng(5))
    two, _ = augment(crops, labels, np.random.default_rng(5))
    other, _ = augment(crops, labels, np.random.default_rng(6))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)
    assert np.array_equal(crops, before)
    assert one.dtype == np.uint8


def test_light_shift_and_noise_vary():
    crops, labels = batch()
    changed, _ = augment(crops, labels, np.random.default_rng(5))
    ratio = changed.mean(axis=(1, 2, 3)) / crops.mean(axis=(1, 2, 3))
    assert ratio.min() < 0.75
    assert ratio.max() > 1.25
    assert np.abs(changed.astype(int) - crops).mean(axis=(1, 2, 3)).min() > 1.0


def test_no_failure_becomes_a_success_and_hidden_ones_are_none():
    crops, labels = batch()
    _, targets = augment(crops, labels, np.random.default_rng(5))
    assert (targets[~labels] == 0.0).all()
    hidden = (targets[labels] == 0.0).mean()
    assert 0.02 < hidden < 0.2
