"""Walking through whole and broken files."""

import pytest
from trial_support import counter, START_NS, write_bag

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.recording.scan import count, messages, Scan
from enpire_nodes.rollout.recording.writer import BagSettings, COMPRESSIONS

SMALL = BagSettings(chunk_size=2048)


def walk(path):
    scan = Scan()
    return scan, [(item.channel, bytes(item.data), item.log_ns) for item in messages(path, scan)]


@pytest.mark.parametrize('compression', sorted(COMPRESSIONS))
def test_a_whole_file_gives_every_message(tmp_path, compression):
    settings = BagSettings(compression=compression, chunk_size=2048)
    path = write_bag(tmp_path / 'bag', 300, settings=settings).file
    scan, found = walk(path)
    assert found == [(n % 2 + 1, counter(n), START_NS + n * 10**7) for n in range(300)]
    assert count(path, Scan()) == {1: 150, 2: 150}
    assert scan.complete
    assert scan.size == path.stat().st_size
    assert {item.topic for item in scan.channels.values()} == {'/station_1/a', '/station_1/b'}
    assert scan.metadata['enpire'] == {'trial_id': 'trial_1'}


def test_a_flipped_bit_costs_its_chunk_alone(tmp_path):
    path = write_bag(tmp_path / 'bag', 300, settings=SMALL).file
    data = bytearray(path.read_bytes())
    data[1500] ^= 0x10
    path.write_bytes(data)
    scan, found = walk(path)
    assert scan.damaged == 1
    assert 200 < len(found) < 300
    assert found == [item for item in walk_numbers(300) if item in set(found)]


def walk_numbers(count):
    return [(n % 2 + 1, counter(n), START_NS + n * 10**7) for n in range(count)]


@pytest.mark.parametrize('content', [b'', b'\x89MCAP', b'garbage' * 1000])
def test_garbage_is_refused(tmp_path, content):
    path = tmp_path / 'x.mcap'
    path.write_bytes(content)
    with pytest.raises(StationError, match='not an MCAP file') as caught:
        walk(path)
    assert caught.value.code is ErrorCode.RECORDER_BAG_UNREADABLE


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(StationError, match='cannot open'):
        walk(tmp_path / 'x.mcap')


def test_an_absurd_length_ends_the_walk(tmp_path):
    path = write_bag(tmp_path / 'bag', 300, close=False, settings=SMALL).file
    with path.open('ab') as stream:
        stream.write(b'\x06' + b'\xff' * 8 + b'tail')
    scan, found = walk(path)
    assert not scan.complete
    assert len(found) > 100
