"""Pictures of a run are pictures, and show what they should."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from enpire_nodes.cli.pictures import plot_success, save_frames
from enpire_nodes.cli.scores import scores
from enpire_nodes.rollout.records import (
    AttemptRecord,
    TrialOutcome,
    TrialRecord,
    VerdictOutcome,
    VerdictRecord,
)


@pytest.fixture
def trials():
    good = AttemptRecord(1, verdict=VerdictRecord(VerdictOutcome.SUCCESS))
    trial = TrialRecord('t', controller='a', outcome=TrialOutcome.SUCCESS, attempts=(good,))
    bad = replace(trial, outcome=TrialOutcome.FAILURE, attempts=(AttemptRecord(1),))
    return [trial, bad, trial, replace(trial, controller='b')]


def test_success_is_plotted(trials, tmp_path):
    path = tmp_path / 'success.png'
    plot_success(scores(trials), path, title='pins')
    picture = cv2.imread(str(path))
    assert picture.shape[1] > 1000
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 50


def test_one_controller_with_excluded_trials_is_plotted_too(trials, tmp_path):
    excluded = replace(trials[0], infrastructure=True)
    plot_success(scores([excluded]), tmp_path / 'success.png', title='none counts')
    assert (tmp_path / 'success.png').stat().st_size > 5000


@pytest.fixture
def bag(tmp_path):
    """Write a bag in which two cameras turn from dark to bright."""
    from rosbags.rosbag2 import StoragePlugin, Writer
    from rosbags.typesys import get_typestore, Stores

    store = get_typestore(Stores.ROS2_JAZZY)
    kinds = store.types
    picture = kinds['sensor_msgs/msg/CompressedImage']
    header, time = kinds['std_msgs/msg/Header'], kinds['builtin_interfaces/msg/Time']
    path = tmp_path / 'bag'
    with Writer(path, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        for camera in ('side', 'front'):
            connection = writer.add_connection(
                f'/station_1/camera/{camera}/image_raw/compressed', picture.__msgtype__,
                typestore=store,
            )  # fmt: skip
            for index in range(11):
                image = np.full((24, 32, 3), index * 20, np.uint8)
                data = cv2.imencode('.jpg', image)[1].ravel()
                message = picture(header(time(index, 0), camera), 'jpeg', data)
                raw = store.serialize_cdr(message, picture.__msgtype__)
                writer.write(connection, index * 10**9, raw)
    return path


def test_cameras_are_laid_out_in_rows_and_moments_in_columns(bag, tmp_path):
    path = tmp_path / 'cameras.png'
    assert save_frames(bag, path, moments=(0.0, 0.5, 1.0), scale=2)
    picture = cv2.imread(str(path))
    assert picture.shape == (2 * 48, 3 * 64, 3)
    assert picture[40, 80].mean() == pytest.approx(100, abs=6)
    assert picture[40, 150].mean() == pytest.approx(200, abs=6)


def test_a_bag_without_pictures_gives_none(tmp_path):
    from rosbags.rosbag2 import StoragePlugin, Writer

    with Writer(tmp_path / 'bag', version=9, storage_plugin=StoragePlugin.MCAP):
        pass
    assert not save_frames(tmp_path / 'bag', tmp_path / 'cameras.png', moments=(0.5,))
    assert not (tmp_path / 'cameras.png').exists()
