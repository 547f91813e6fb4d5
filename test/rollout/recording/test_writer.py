"""Bags as other people's readers see them."""

import errno
import os
import resource
import subprocess
import sys

from mcap.reader import make_reader
import pytest
from rclpy.serialization import serialize_message
from rosbags.highlevel import AnyReader
from rosbags.rosbag2 import Reader
from sensor_msgs.msg import JointState
from trial_support import COUNTER, counter, START_NS, write_bag
import yaml

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.recording.definitions import definition_of
from enpire_nodes.rollout.recording.metadata import OfferedQos
from enpire_nodes.rollout.recording.writer import (
    BagSettings,
    BagWriter,
    being_written,
    COMPRESSIONS,
    Sink,
    write_error,
)

LATCHED = OfferedQos(durability='transient_local')


@pytest.fixture(params=sorted(COMPRESSIONS))
def bag(request, tmp_path):
    """Return a bag with 500 joint states, and one latched message."""
    writer = BagWriter(
        tmp_path / 'bag',
        settings=BagSettings(compression=request.param, chunk_size=16 * 1024),
        custom_data={'trial_id': 'trial_7'},
    )
    joints = writer.add_topic('/s/joint_states', definition_of('sensor_msgs/msg/JointState'))
    state = writer.add_topic('/s/state', COUNTER, (LATCHED,))
    writer.write(state, counter(7), START_NS)
    for number in range(500):
        message = JointState(name=['a'], position=[number / 10], velocity=[0.0], effort=[0.0])
        writer.write(joints, serialize_message(message), START_NS + number * 10**7)
    writer.close()
    return tmp_path / 'bag'


def test_rosbags_reads_what_was_written(bag):
    with AnyReader([bag]) as reader:
        assert reader.message_count == 501
        assert reader.duration == 499 * 10**7 + 1
        joints = [item for item in reader.connections if item.topic == '/s/joint_states']
        values = [
            (stamp, reader.deserialize(data, item.msgtype).position[0])
            for item, stamp, data in reader.messages(joints)
        ]
    assert values == [(START_NS + n * 10**7, n / 10) for n in range(500)]


def test_rosbags_sees_profiles_and_custom_data(bag):
    with Reader(bag) as reader:
        assert reader.storage.metadata.custom == {'trial_id': 'trial_7'}
        (state,) = [item for item in reader.connections if item.topic == '/s/state']
        assert state.ext.offered_qos_profiles[0].durability.name == 'TRANSIENT_LOCAL'
        assert sum(1 for _ in reader.messages()) == 501


def test_the_mcap_reader_finds_index_checksums_and_rosbag2_s_record(bag):
    with (bag / 'bag_0.mcap').open('rb') as stream:
        reader = make_reader(stream, validate_crcs=True)
        assert reader.get_header().profile == 'ros2'
        summary = reader.get_summary()
        assert summary.statistics.message_count == 501
        assert len(summary.chunk_indexes) > 1
        assert {item.schema_id for item in summary.channels.values()} == set(summary.schemas)
        assert summary.schemas[1].encoding == 'ros2msg'
        assert summary.channels[1].metadata['topic_type_hash'].startswith('RIHS01_')
        records = {item.name: item.metadata for item in reader.iter_metadata()}
        late = list(reader.iter_messages(starting_at=START_NS + 490 * 10**7))
    assert len(late) == 10
    described = yaml.safe_load((bag / 'metadata.yaml').read_text())['rosbag2_bagfile_information']
    assert yaml.safe_load(records['rosbag2']['serialized_metadata']) == described
    assert records['enpire'] == {'trial_id': 'trial_7'}


def test_an_empty_bag_is_readable(tmp_path):
    write_bag(tmp_path / 'bag', 0)
    with Reader(tmp_path / 'bag') as reader:
        assert reader.message_count == 0


def test_messages_out_of_order_keep_their_stamps(tmp_path):
    writer = BagWriter(tmp_path / 'bag')
    channel = writer.add_topic('/a', COUNTER)
    for stamp in (50, 10, 30):
        writer.write(channel, counter(stamp), stamp)
    writer.close()
    with Reader(tmp_path / 'bag') as reader:
        assert [stamp for _, stamp, _ in reader.messages()] == [10, 30, 50]
        assert (reader.start_time, reader.duration) == (10, 41)


def test_an_existing_directory_is_refused(tmp_path):
    (tmp_path / 'bag').mkdir()
    with pytest.raises(StationError, match='exists') as caught:
        BagWriter(tmp_path / 'bag')
    assert caught.value.code is ErrorCode.RECORDER_WRITE_FAILED


def test_a_chunk_is_handed_over_when_it_is_old(tmp_path):
    writer = write_bag(tmp_path / 'bag', 10, close=False, settings=BagSettings(flush_period=0.0))
    before = writer.file.stat().st_size
    writer.flush_when_due()
    assert writer.file.stat().st_size > before
    writer.abandon()


def test_a_bag_under_way_is_locked_and_a_closed_one_is_not(tmp_path):
    writer = write_bag(tmp_path / 'bag', 10, close=False)
    assert being_written(writer.file)
    writer.close()
    assert not being_written(writer.file)


def test_a_real_full_disk_is_told_and_keeps_what_was_written(small_disk):
    disk = small_disk(megabytes=1)
    settings = BagSettings(compression='none', chunk_size=64 * 1024)
    writer = BagWriter(disk / 'bag', settings=settings)
    channel = writer.add_topic('/a', COUNTER)
    with pytest.raises(StationError, match='disk is full') as caught:
        for number in range(10_000):
            writer.write(channel, counter(number) + bytes(1000), number)
    assert caught.value.code is ErrorCode.RECORDER_DISK_FULL
    assert writer.file.stat().st_size > 500_000
    assert not (disk / 'bag' / 'metadata.yaml').exists()


_LIMITED = """
import resource, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from trial_support import write_bag
from enpire_nodes.common.errors import StationError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    write_bag(Path(sys.argv[1]), 100_000)
except StationError as error:
    print(error.code.name)
"""


def test_a_quota_is_told_like_a_full_disk(tmp_path):
    assert resource.RLIMIT_FSIZE is not None
    support = os.path.dirname(sys.modules['trial_support'].__file__)
    done = subprocess.run(
        [sys.executable, '-c', _LIMITED, str(tmp_path / 'bag'), support],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.strip() == 'RECORDER_DISK_FULL'


def test_a_sink_writes_everything_or_raises(tmp_path, monkeypatch):
    sink = Sink(tmp_path / 'file')
    write = os.write
    monkeypatch.setattr(os, 'write', lambda descriptor, data: write(descriptor, data[:3]))
    sink.write(b'0123456789')
    assert sink.tell() == 10
    sink.close()
    sink.close()
    assert (tmp_path / 'file').read_bytes() == b'0123456789'
    with pytest.raises(OSError):
        sink.write(b'late')


@pytest.mark.parametrize(
    ('number', 'code'),
    [
        (errno.ENOSPC, ErrorCode.RECORDER_DISK_FULL),
        (errno.EDQUOT, ErrorCode.RECORDER_DISK_FULL),
        (errno.EACCES, ErrorCode.RECORDER_WRITE_FAILED),
        (errno.EIO, ErrorCode.RECORDER_WRITE_FAILED),
    ],
)
def test_errors_of_the_file_system_have_their_codes(tmp_path, number, code):
    assert write_error(tmp_path, OSError(number, os.strerror(number))).code is code
