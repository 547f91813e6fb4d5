"""The thread that writes."""

import shutil
import time

import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.recording import session
from enpire_nodes.rollout.recording.check import check_bag
from enpire_nodes.rollout.recording.session import Recording, require_space, Topic

STRING = Topic('/a', 'std_msgs/msg/String')
DATA = b'\x00\x01\x00\x00\x02\x00\x00\x00x\x00'


def wait_for(condition, timeout=5.0):
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_what_is_put_in_is_in_the_bag(tmp_path):
    recording = Recording(tmp_path / 'bag', custom_data={'trial_id': 't'})
    index = recording.add_topic(STRING)
    for number in range(1000):
        recording.put(index, DATA, number)
    closed = recording.join(10.0)
    assert closed.error is None
    assert closed.report.counts == {'/a': 1000}
    assert check_bag(tmp_path / 'bag') == closed.report


def test_it_says_what_has_reached_the_bag(tmp_path):
    recording = Recording(tmp_path / 'bag')
    index = recording.add_topic(STRING)
    assert recording.accepted() == {'/a': 0}
    recording.put(index, DATA, 1)
    assert recording.accepted() == {'/a': 1}
    wait_for(lambda: recording.written() == {'/a': 1})
    assert recording.closed is None
    recording.join(5.0)


def test_a_topic_may_join_later(tmp_path):
    recording = Recording(tmp_path / 'bag')
    recording.put(recording.add_topic(STRING), DATA, 1)
    wait_for(lambda: recording.written())
    recording.put(recording.add_topic(Topic('/b', 'std_msgs/msg/String')), DATA, 2)
    assert recording.join(5.0).report.counts == {'/a': 1, '/b': 1}


def test_an_unknown_type_is_refused_and_harms_nothing(tmp_path):
    recording = Recording(tmp_path / 'bag')
    with pytest.raises(StationError, match='not installed'):
        recording.add_topic(Topic('/b', 'nobody_msgs/msg/Thing'))
    recording.put(recording.add_topic(STRING), DATA, 1)
    assert recording.join(5.0).report.counts == {'/a': 1}


def test_what_finds_no_room_is_dropped_and_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(session, '_LOOK_PERIOD', 0.5)
    recording = Recording(tmp_path / 'bag', queue_size=10 * len(DATA))
    index = recording.add_topic(STRING)
    for number in range(100):
        recording.put(index, DATA, number)
    closed = recording.join(5.0)
    assert closed.report.counts == {'/a': 11}
    assert closed.dropped == {'/a': 89}


def test_what_comes_after_the_end_is_nobody_s_loss(tmp_path):
    recording = Recording(tmp_path / 'bag')
    index = recording.add_topic(STRING)
    recording.put(index, DATA, 1)
    recording.stop()
    recording.put(index, DATA, 2)
    closed = recording.join(5.0)
    assert closed.report.counts == {'/a': 1}
    assert closed.dropped == {}


def test_a_recording_that_is_discarded_leaves_nothing(tmp_path):
    recording = Recording(tmp_path / 'trial' / 'bag')
    recording.discard()
    assert not (tmp_path / 'trial' / 'bag').exists()


def test_a_disk_that_fails_ends_the_recording_with_its_reason(tmp_path, monkeypatch):
    recording = Recording(tmp_path / 'bag')
    index = recording.add_topic(STRING)

    def fail(data):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(recording._writer._sink, 'write', fail)
    recording.put(index, bytes(300_000), 1)
    wait_for(lambda: recording.closed is not None)
    assert recording.closed.error.code is ErrorCode.RECORDER_DISK_FULL
    assert recording.closed.report is None


def test_a_defect_of_the_writer_is_told_and_does_not_hang(tmp_path, monkeypatch, capsys):
    recording = Recording(tmp_path / 'bag')
    monkeypatch.setattr(recording._writer, 'write', lambda *_: 1 / 0)
    recording.put(recording.add_topic(STRING), DATA, 1)
    closed = recording.join(5.0)
    assert closed.error.code is ErrorCode.RECORDER_INTERNAL
    assert 'ZeroDivisionError' in closed.error.message
    assert 'Traceback' in capsys.readouterr().err


def test_a_disk_that_fills_up_ends_the_recording_in_time(tmp_path, monkeypatch):
    monkeypatch.setattr(session, '_SPACE_PERIOD', 0.05)
    usage = shutil.disk_usage(tmp_path)
    recording = Recording(tmp_path / 'bag', minimum_free=1000)
    recording.put(recording.add_topic(STRING), DATA, 1)
    monkeypatch.setattr(shutil, 'disk_usage', lambda path: usage._replace(free=400))
    wait_for(lambda: recording.closed is not None)
    assert recording.closed.error.code is ErrorCode.RECORDER_DISK_FULL
    assert recording.closed.report.counts == {'/a': 1}  # whole, though it ended early


def test_too_little_space_starts_nothing(tmp_path):
    with pytest.raises(StationError, match='free some space') as caught:
        Recording(tmp_path / 'trial' / 'bag', minimum_free=1 << 60)
    assert caught.value.code is ErrorCode.RECORDER_DISK_FULL
    assert not (tmp_path / 'trial').exists()
    require_space(tmp_path / 'not' / 'yet', 0)
