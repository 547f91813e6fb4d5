"""Bags of trials that went as one likes, without a station."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from enpire_nodes.rollout.records import (
    AttemptRecord,
    Execution,
    TrialOutcome,
    TrialRecord,
    VerdictOutcome,
    VerdictRecord,
    VoteRecord,
)

_FEATURES = """std_msgs/Header header
string trial_id
uint32 attempt
uint32 step
string[] names
uint32[] sizes
float64[] values
"""
_HAND = np.array([0.0, 0.0, 0.05])  # m, the tool above the tip


def rows(tip, force, **changes):
    """Return 31 rows: the tip along straight pieces (k, 3) m, the force likewise."""
    time = np.linspace(0.0, 1.0, 31)

    def along(points):
        points = np.asarray(points, dtype=float)
        knots = np.linspace(0.0, 1.0, len(points))
        return np.stack([np.interp(time, knots, axis) for axis in points.T], axis=1)

    path, felt = along(tip), along(force)
    return [
        (
            100.0 + 8.0 * time[place],
            {
                'tcp': path[place] + _HAND,
                'target': path[place] + _HAND,
                'tip': np.maximum(path[place], [-1.0, -1.0, -0.001]),
                'tip_valid': np.array([1.0]),
                'force': felt[place],
                'gripper': np.array([0.011, 20.0]),
                **{name: value(time[place]) for name, value in changes.items()},
            },
        )
        for place in range(len(time))
    ]


def without(given, *names):
    """Return rows that lack some features."""
    return [(stamp, {n: v for n, v in row.items() if n not in names}) for stamp, row in given]


def attempt_record(index=1, verdict=VerdictOutcome.FAILURE, votes=(), **changes):
    """Return an attempt of 30 periods."""
    settings = {
        'execution': Execution.COMPLETED, 'message': 'done', 'steps': 30, 'duration': 8.0,
        'peak_force': 20.0, 'depth': 0.03, 'start_ns': 10 * 10**9,
        'verdict': VerdictRecord(verdict, score=0.1, votes=votes), **changes,
    }  # fmt: skip
    return AttemptRecord(index, **settings)


def trial_record(*attempts, **changes):
    """Return a closed trial."""
    settings = {
        'outcome': TrialOutcome.FAILURE, 'task': 'no_such_task', 'controller': 'learned',
        'commit': 'ab' * 20, 'max_attempts': 8, 'start_ns': 5 * 10**9, 'end_ns': 25 * 10**9,
        **changes,
    }  # fmt: skip
    return TrialRecord('trial-1', attempts=attempts, **settings)


def vote(source, verdict, reason=''):
    """Return a vote."""
    return VoteRecord(source, verdict, 0.4, 3, 0.0, reason)


def write_bag(path: Path, traces, *, pictures: int = 0) -> Path:
    """Write features by attempt, and pictures of two cameras that turn from dark to bright."""
    from rosbags.rosbag2 import StoragePlugin, Writer
    from rosbags.typesys import get_types_from_msg, get_typestore, Stores

    store = get_typestore(Stores.ROS2_JAZZY)
    kind = 'enpire_msgs/msg/PolicyFeatures'
    store.register(get_types_from_msg(_FEATURES, kind))
    header, stamp = store.types['std_msgs/msg/Header'], store.types['builtin_interfaces/msg/Time']

    def at(seconds):
        return header(stamp(int(seconds), int(seconds % 1 * 1e9)), 'world')

    with Writer(path, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        told = writer.add_connection('/station_1/policy/features', kind, typestore=store)
        for index, given in traces.items():
            for step, (when, row) in enumerate(given):
                values = np.concatenate(list(row.values()))
                sizes = np.array([len(value) for value in row.values()], dtype=np.uint32)
                message = store.types[kind](
                    at(when), 'trial-1', index, step, list(row), sizes, values
                )
                writer.write(told, int(when * 1e9), store.serialize_cdr(message, kind))
        picture = 'sensor_msgs/msg/CompressedImage'
        for camera in ('front', 'side') if pictures else ():
            topic = f'/station_1/camera/{camera}/image_raw/compressed'
            connection = writer.add_connection(topic, picture, typestore=store)
            for place in range(pictures):
                image = np.full((48, 64, 3), 20 + place * 20, np.uint8)
                data = cv2.imencode('.jpg', image)[1].ravel()
                message = store.types[picture](at(100.0 + place * 0.1), 'jpeg', data)
                when = int((100.0 + place * 0.1) * 1e9)
                writer.write(connection, when, store.serialize_cdr(message, picture))
    return path
