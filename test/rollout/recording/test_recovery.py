"""Bags whose writer died."""

import random
import signal
import subprocess
import sys
import time

import pytest
from rosbags.rosbag2 import Reader
from trial_support import counter, START_NS, write_bag

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.recording.check import check_bag
from enpire_nodes.rollout.recording.recovery import is_unfinished, recover_bag
from enpire_nodes.rollout.recording.writer import BagSettings

SMALL = BagSettings(chunk_size=2048)
EXPECTED = [(START_NS + n * 10**7, counter(n)) for n in range(400)]


def read(bag):
    with Reader(bag) as reader:
        return [(stamp, bytes(data)) for _, stamp, data in reader.messages()]


def unfinished(directory, length=None, messages=400):
    """Leave a bag of which only the first ``length`` bytes reached the disk."""
    path = write_bag(directory, messages, settings=SMALL).file
    (directory / 'metadata.yaml').unlink()
    if length is not None:
        path.write_bytes(path.read_bytes()[:length])
    return path


def test_a_file_that_breaks_off_anywhere_gives_its_whole_chunks(tmp_path):
    """Every saved message is right, none is out of order, and later breaks never save less."""
    size = unfinished(tmp_path / 'bag').stat().st_size
    rng, saved = random.Random(5), []
    cuts = sorted({8, 9, 17, size - 1, size, *(rng.randrange(8, size) for _ in range(40))})
    for number, cut in enumerate(cuts):
        bag = tmp_path / f'cut_{number}'
        path = unfinished(bag, cut)
        before = path.read_bytes()
        recovery = recover_bag(bag)
        found = read(bag)
        assert found == EXPECTED[: len(found)], cut
        assert recovery.report.messages == len(found)
        assert recovery.original.read_bytes() == before
        assert 0 <= recovery.lost_bytes < 4096 or cut > size - 2048
        saved.append(len(found))
    assert saved == sorted(saved)
    assert saved[-1] == 400
    assert saved[0] == 0


def test_a_recovered_bag_keeps_types_profiles_and_origin(tmp_path):
    unfinished(tmp_path / 'bag', 3000)
    recover_bag(tmp_path / 'bag')
    with Reader(tmp_path / 'bag') as reader:
        assert reader.storage.metadata.custom == {'trial_id': 'trial_1', 'recovered': 'true'}
        assert reader.connections[0].msgtype == 'test_msgs/msg/Counter'
        assert reader.connections[0].ext.offered_qos_profiles[0].reliability.name == 'RELIABLE'
        assert reader.connections[0].digest.startswith('RIHS01_')


def test_a_damaged_chunk_is_left_out_and_reported(tmp_path):
    path = unfinished(tmp_path / 'bag')
    data = bytearray(path.read_bytes())
    data[1500] ^= 0x10
    path.write_bytes(data)
    recovery = recover_bag(tmp_path / 'bag')
    assert recovery.damaged_chunks == 1
    assert set(read(tmp_path / 'bag')) < set(EXPECTED)
    assert recovery.report.messages > 200


def test_a_whole_bag_is_left_alone(tmp_path):
    path = write_bag(tmp_path / 'bag', 100).file
    before = path.stat()
    recovery = recover_bag(tmp_path / 'bag')
    assert not recovery.changed
    assert recovery.report.messages == 100
    assert path.stat().st_mtime_ns == before.st_mtime_ns


def test_recovering_twice_changes_nothing(tmp_path):
    path = unfinished(tmp_path / 'bag', 3000)
    first = recover_bag(tmp_path / 'bag')
    again = recover_bag(tmp_path / 'bag')
    assert not again.changed
    assert again.report == first.report
    assert path.with_name(path.name + '.unfinished').stat().st_size == 3000


def test_a_missing_description_alone_is_written_again(tmp_path):
    write_bag(tmp_path / 'bag', 100)
    (tmp_path / 'bag' / 'metadata.yaml').unlink()
    assert is_unfinished(tmp_path / 'bag')
    recovery = recover_bag(tmp_path / 'bag')
    assert (recovery.changed, recovery.report.messages, recovery.lost_bytes) == (True, 100, 0)
    assert not is_unfinished(tmp_path / 'bag')


@pytest.mark.parametrize('content', [b'', b'garbage' * 1000])
def test_garbage_is_refused_and_left_as_it_was(tmp_path, content):
    path = unfinished(tmp_path / 'bag')
    path.write_bytes(content)
    with pytest.raises(StationError, match='nothing can be saved') as caught:
        recover_bag(tmp_path / 'bag')
    assert caught.value.code is ErrorCode.RECORDER_BAG_UNREADABLE
    assert path.read_bytes() == content
    assert [item.name for item in (tmp_path / 'bag').iterdir()] == [path.name]
    assert not (tmp_path / '.bag.recovery').exists()


def test_a_bag_that_is_being_written_is_refused(tmp_path):
    writer = write_bag(tmp_path / 'bag', 100, close=False)
    with pytest.raises(StationError, match='is being recorded') as caught:
        recover_bag(tmp_path / 'bag')
    assert caught.value.code is ErrorCode.RECORDER_BUSY
    writer.close()
    assert check_bag(tmp_path / 'bag').messages == 100


def test_a_full_disk_leaves_the_bag_as_it_was(small_disk):
    disk = small_disk(megabytes=1)
    path = unfinished(disk / 'bag', 8000)
    before = path.read_bytes()
    with (
        pytest.raises(OSError, match='space'),
        (disk / 'ballast').open('wb', buffering=0) as ballast,
    ):
        while ballast.write(b'\0' * 4096):
            pass
    with pytest.raises(StationError) as caught:
        recover_bag(disk / 'bag')
    assert caught.value.code is ErrorCode.RECORDER_DISK_FULL
    assert path.read_bytes() == before
    (disk / 'ballast').unlink()
    assert recover_bag(disk / 'bag').report.messages > 100


_WRITE = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from enpire_nodes.rollout.recording.writer import BagSettings
from trial_support import counter, START_NS, write_bag
writer = write_bag(Path(sys.argv[1]), 0, close=False, settings=BagSettings(flush_period=0.02))
number = 0
while True:
    for _ in range(50):
        writer.write(number % 2 + 1, counter(number), START_NS + number * 10**7)
        number += 1
    writer.flush_when_due()
    print(number, flush=True)
    time.sleep(0.002)
"""


def test_kill_9_loses_no_more_than_the_flush_period(tmp_path):
    support = str(__import__('pathlib').Path(__file__).parents[2])
    rng = random.Random(11)
    for number in range(3):
        bag = tmp_path / f'bag_{number}'
        process = subprocess.Popen(
            [sys.executable, '-c', _WRITE, str(bag), support], stdout=subprocess.PIPE, text=True
        )
        process.stdout.readline()
        time.sleep(rng.uniform(0.2, 0.5))
        process.send_signal(signal.SIGKILL)
        written = int(process.communicate(timeout=20)[0].split('\n')[-2])
        recovery = recover_bag(bag)
        assert read(bag) == [
            (START_NS + n * 10**7, counter(n)) for n in range(recovery.report.messages)
        ]
        # 0.02 s of flushing are some ten rounds of 50; four times that covers a busy machine
        assert written - recovery.report.messages <= 50 * 40
