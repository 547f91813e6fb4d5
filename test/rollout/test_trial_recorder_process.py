"""The recorder as a process of its own, which may be killed."""

import os
import signal
import subprocess
import sys
import time

import pytest
from recorder_support import REQUIRED, Station
from ros_support import NAMESPACE
from rosbags.rosbag2 import Reader

from enpire_msgs.srv import StartRecording, StopRecording
from enpire_nodes.common.errors import ErrorCode
from enpire_nodes.rollout.recording.check import check_bag
from enpire_nodes.rollout.recording.recovery import is_unfinished, recover_bag

pytestmark = pytest.mark.ros


@pytest.fixture
def station(ros, tmp_path):
    return Station(ros, tmp_path)


@pytest.fixture
def launch(ros):
    processes = []

    def start():
        command = [sys.executable, '-m', 'enpire_nodes.rollout.trial_recorder', '--ros-args']
        parameters = ['-r', f'__ns:={NAMESPACE}', '-p', 'minimum_free_mb:=1.0']
        environment = {**os.environ, 'ROS_DOMAIN_ID': str(ros.domain_id)}
        processes.append(subprocess.Popen([*command, *parameters], env=environment))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.wait(timeout=10)


def record(station, trial='trial_1'):
    started = station.start(trial, required=REQUIRED, timeout=10.0)
    assert started.outcome == StartRecording.Response.RECORDING, started.message


def test_a_killed_recorder_leaves_all_but_the_last_moments(station, launch):
    recorder = launch()
    record(station)
    begin = time.monotonic()
    time.sleep(2.5)
    recorder.send_signal(signal.SIGKILL)
    seconds = time.monotonic() - begin
    recorder.wait(timeout=10)
    bag = station.run / 'trial_1' / 'bag'
    assert is_unfinished(bag)
    recovery = recover_bag(bag)
    assert recovery.changed
    with Reader(bag) as reader:
        assert reader.duration > (seconds - 2.0) * 1e9  # 1 s of flushing, and a busy machine
    launch()
    refused = station.stop('trial_1')
    assert refused.outcome == StopRecording.Response.REFUSED
    assert refused.error_code == ErrorCode.RECORDER_NOT_RECORDING
    record(station, 'trial_2')
    assert station.stop('trial_2').outcome == StopRecording.Response.CLOSED


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT])
def test_a_recorder_that_is_asked_to_end_closes_its_bag(station, launch, number):
    recorder = launch()
    record(station)
    recorder.send_signal(number)
    recorder.wait(timeout=10)
    assert check_bag(station.run / 'trial_1' / 'bag').messages > 0
