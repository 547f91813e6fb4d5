"""Trials to export, and what to compare of those that come back."""

from __future__ import annotations

import numpy as np

from enpire_nodes.improvement.recorded import RecordedAttempt, RecordedTrial

SIZES = {'tcp': 3, 'target': 3, 'force': 3, 'elapsed': 1}


def made_attempt(index=1, steps=4, *, seed=0, cameras=(), side=8, sizes=SIZES, **more):
    """Make an attempt of random rows."""
    rng = np.random.default_rng([seed, index, steps])
    rows = steps + 1
    return RecordedAttempt(
        index=index,
        stamps=1.7e9 + np.cumsum(rng.uniform(0.03, 0.04, rows)),
        features={n: rng.normal(size=(rows, k)).astype(np.float32) for n, k in sizes.items()},
        images={
            camera: rng.integers(0, 256, (rows, side, side, 3), dtype=np.uint8)
            for camera in cameras
        },
        **{'verdict': 'success', 'execution': 'completed', 'peak_force': 1 / 3, **more},
    )


def made_trial(trial_id='trial_000', attempts=None, **more):
    """Make a trial of one attempt, unless others are given."""
    attempts = (made_attempt(),) if attempts is None else tuple(attempts)
    known = {'outcome': 'success', 'controller': 'teleop', 'robot_seconds': 0.1 + 0.2}
    return RecordedTrial(trial_id, attempts, **{**known, **more})


def assert_same(found, wanted):
    """Compare two trials in everything."""
    for item in (found, wanted):
        assert isinstance(item, RecordedTrial)
    for name in RecordedTrial.__slots__:
        if name != 'attempts':
            assert getattr(found, name) == getattr(wanted, name), name
    assert len(found.attempts) == len(wanted.attempts)
    for one, other in zip(found.attempts, wanted.attempts):
        for name in RecordedAttempt.__slots__:
            if name not in ('stamps', 'features', 'images'):
                assert getattr(one, name) == getattr(other, name), name
        np.testing.assert_array_equal(one.stamps, other.stamps)
        for name in ('features', 'images'):
            arrays, expected = getattr(one, name), getattr(other, name)
            assert set(arrays) == set(expected)
            for key, values in expected.items():
                kind = np.float32 if name == 'features' else np.uint8
                assert arrays[key].dtype == kind
                np.testing.assert_array_equal(arrays[key], np.asarray(values, dtype=kind))
