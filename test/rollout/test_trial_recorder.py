"""The recorder's services and bags, with real rclpy."""

import threading
import time

from geometry_msgs.msg import PoseStamped
import pytest
from recorder_support import REQUIRED, Station
from rosbags.highlevel import AnyReader

from enpire_msgs.srv import StartRecording, StopRecording
from enpire_nodes.common.errors import ErrorCode
from enpire_nodes.rollout import trial_recorder
from enpire_nodes.rollout.recording.check import check_bag
from enpire_nodes.rollout.trial_recorder import TrialRecorder
from enpire_nodes.ros import qos

START, STOP = StartRecording.Response, StopRecording.Response


@pytest.fixture
def station(ros, tmp_path):
    return Station(ros, tmp_path)


@pytest.fixture
def recorder(ros, station):
    recorder = ros.make(
        TrialRecorder, required_topics=REQUIRED, minimum_free_mb=1.0, discovery_period=0.1
    )
    ros.wait_until(lambda: recorder.active)
    yield recorder
    recorder.close()


def test_a_trial_is_recorded_and_reads_back(station, recorder):
    started = station.start()
    assert started.outcome == START.RECORDING, started.message
    time.sleep(0.5)
    stopped = station.stop()
    assert stopped.outcome == STOP.CLOSED, stopped.message
    assert stopped.error_code == ErrorCode.NONE
    counts = {item.topic: item.messages for item in stopped.topics}
    assert counts['/station_1/joint_states'] >= 30
    assert counts['/station_1/safety_state'] == 1
    bag = station.run / 'trial_1' / 'bag'
    assert check_bag(bag).digest == stopped.digest
    with AnyReader([bag]) as reader:
        assert reader.message_count == sum(counts.values())
        joints = [c for c in reader.connections if c.topic == '/station_1/joint_states']
        _, _, data = next(reader.messages(joints))
        assert reader.deserialize(data, joints[0].msgtype).position[0] == 0.5


def test_what_is_on_its_way_when_the_trial_ends_is_recorded(station, recorder, monkeypatch):
    monkeypatch.setattr(trial_recorder, '_DRAIN', 1.0)
    monkeypatch.setattr(trial_recorder, '_QUIET', 600.0)
    station.start()
    before = sum(recorder._session.recording.accepted().values())
    assert sum(item.messages for item in station.stop().topics) > before + 20


def test_nobody_waits_for_what_does_not_come(station, recorder, monkeypatch):
    monkeypatch.setattr(trial_recorder, '_DRAIN', 600.0)
    station.start()
    station.silent = {station.joints, station.pose, station.image}
    monkeypatch.setattr(trial_recorder, '_QUIET', 0.05)
    assert station.stop().outcome == STOP.CLOSED


def test_required_flags_and_types_are_reported(station, recorder):
    station.start()
    topics = {item.topic: item for item in station.stop().topics}
    assert topics['/station_1/right/tcp_pose'].required
    assert topics['/station_1/right/tcp_pose'].type == 'geometry_msgs/msg/PoseStamped'
    assert not topics['/station_1/heartbeats'].required


def test_every_call_may_be_repeated(station, recorder):
    assert station.start().outcome == START.RECORDING
    assert station.start().outcome == START.RECORDING
    first = station.stop()
    assert station.stop() == first


def test_a_second_trial_is_refused_while_one_is_recorded(station, recorder):
    station.start('trial_1')
    refused = station.start('trial_2')
    assert refused.outcome == START.REFUSED
    assert refused.error_code == ErrorCode.RECORDER_BUSY
    assert 'trial_1' in refused.message
    assert station.stop('trial_1').outcome == STOP.CLOSED
    assert station.start('trial_2').outcome == START.RECORDING


def test_a_silent_required_topic_refuses_the_start_and_leaves_no_bag(station, recorder):
    station.silent.add(station.pose)
    time.sleep(0.3)
    refused = station.start(timeout=0.5)
    assert refused.outcome == START.REFUSED
    assert refused.error_code == ErrorCode.RECORDER_TOPIC_MISSING
    assert 'right/tcp_pose' in refused.message
    assert not (station.run / 'trial_1' / 'bag').exists()
    station.silent.clear()
    assert station.start().outcome == START.RECORDING


def test_a_topic_without_publisher_is_named(station, recorder):
    refused = station.start(required=['left/wrench'], timeout=0.3)
    assert refused.error_code == ErrorCode.RECORDER_TOPIC_MISSING
    assert 'left/wrench (nobody publishes it)' in refused.message


def test_a_publisher_that_comes_late_is_recorded(ros, station, recorder):
    assert station.start().outcome == START.RECORDING
    late = ros.node.create_publisher(PoseStamped, 'left/tcp_pose', qos.ARM_STATE)
    ros.wait_until(lambda: late.get_subscription_count() > 0)
    late.publish(PoseStamped())
    time.sleep(0.2)
    counts = {item.topic: item.messages for item in station.stop().topics}
    assert counts['/station_1/left/tcp_pose'] == 1


def test_a_latched_topic_is_in_every_bag(station, recorder):
    for trial in ('trial_1', 'trial_2'):
        assert station.start(trial).outcome == START.RECORDING
        counts = {item.topic: item.messages for item in station.stop(trial).topics}
        assert counts['/station_1/safety_state'] == 1


def test_stopping_what_was_not_started_is_refused(station, recorder):
    refused = station.stop('trial_9')
    assert refused.outcome == STOP.REFUSED
    assert refused.error_code == ErrorCode.RECORDER_NOT_RECORDING


def test_an_existing_bag_is_not_touched(station, recorder, tmp_path):
    keep = tmp_path / 'trial_1' / 'bag' / 'precious'
    keep.parent.mkdir(parents=True)
    keep.write_text('data')
    refused = station.start()
    assert refused.error_code == ErrorCode.RECORDER_WRITE_FAILED
    assert keep.read_text() == 'data'


def test_a_relative_bag_without_a_run_directory_is_refused(station, recorder):
    refused = station.start(bag='somewhere/bag')
    assert refused.error_code == ErrorCode.RECORDER_WRITE_FAILED
    assert 'absolute' in refused.message


def test_too_little_space_refuses_the_start(ros, station):
    recorder = ros.make(TrialRecorder, minimum_free_mb=1e6)
    ros.wait_until(lambda: recorder.active)
    refused = station.start()
    assert refused.outcome == START.REFUSED
    assert refused.error_code == ErrorCode.RECORDER_DISK_FULL


def test_messages_that_find_no_room_make_the_bag_incomplete(ros, station, recorder):
    assert station.start().outcome == START.RECORDING
    recorder._session.recording._queue_size = -1
    time.sleep(0.2)
    recorder._session.recording._queue_size = 1 << 20
    stopped = station.stop()
    assert stopped.outcome == STOP.INCOMPLETE
    assert 'joint_states' in stopped.message


def test_closing_the_node_closes_the_bag(station, recorder):
    assert station.start().outcome == START.RECORDING
    recorder.close()
    assert check_bag(station.run / 'trial_1' / 'bag').messages > 0


def test_an_inactive_recorder_refuses(ros, station):
    recorder = ros.make(TrialRecorder, autostart=False)
    ros.within(recorder.trigger_configure)
    assert station.start().error_code == ErrorCode.RECORDER_NOT_RECORDING


def test_the_receiving_thread_never_waits_for_a_slow_disk(station, recorder, monkeypatch):
    gate = threading.Event()
    assert station.start().outcome == START.RECORDING
    sink = recorder._session.recording._writer._sink
    write = sink.write
    monkeypatch.setattr(sink, 'write', lambda data: (gate.wait(10.0), write(data))[1])
    time.sleep(1.2)
    received = recorder.diagnostics()['received']
    time.sleep(0.3)
    assert recorder.diagnostics()['received'] > received + 20
    gate.set()
    assert station.stop().outcome == STOP.CLOSED
