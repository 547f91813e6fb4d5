"""What makes a closed bag good."""

import hashlib

import pytest
from trial_support import write_bag

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.recording.check import bag_file, check_bag


@pytest.fixture
def bag(tmp_path):
    write_bag(tmp_path / 'bag', 101)
    return tmp_path / 'bag'


def refused(bag):
    with pytest.raises(StationError) as caught:
        check_bag(bag)
    assert caught.value.code is ErrorCode.RECORDER_BAG_UNREADABLE
    return caught.value.message


def test_counts_size_and_digest_are_of_the_file(bag):
    report = check_bag(bag)
    assert report.counts == {'/station_1/a': 51, '/station_1/b': 50}
    assert report.messages == 101
    content = (bag / 'bag_0.mcap').read_bytes()
    assert report.size == len(content)
    assert report.digest == hashlib.sha256(content).hexdigest()


def test_silent_topics_are_named(bag):
    report = check_bag(bag)
    assert report.silent(['/station_1/c', '/station_1/a', '/b']) == ['/b', '/station_1/c']


def test_a_bag_without_its_end_is_refused(bag):
    path = bag / 'bag_0.mcap'
    path.write_bytes(path.read_bytes()[:-1])
    assert 'breaks off' in refused(bag)


def test_a_flipped_bit_anywhere_is_found(bag):
    path = bag / 'bag_0.mcap'
    whole = path.read_bytes()
    for position in range(0, len(whole), 97):
        data = bytearray(whole)
        data[position] ^= 1 << position % 8
        path.write_bytes(data)
        assert refused(bag), position


@pytest.mark.parametrize('text', [None, '', 'a: [', 'rosbag2_bagfile_information: {}'])
def test_a_missing_or_broken_description_is_refused(bag, text):
    path = bag / 'metadata.yaml'
    if text is None:
        path.unlink()
    else:
        path.write_text(text)
    assert 'metadata.yaml' in refused(bag)


def test_a_description_of_another_bag_is_refused(bag, tmp_path):
    write_bag(tmp_path / 'other', 7)
    (bag / 'metadata.yaml').write_bytes((tmp_path / 'other' / 'metadata.yaml').read_bytes())
    assert 'does not hold' in refused(bag)


def test_a_directory_without_exactly_one_file_is_no_bag(bag, tmp_path):
    (bag / 'more.mcap').write_bytes(b'')
    assert '2 MCAP files' in refused(bag)
    assert 'no MCAP file' in refused(tmp_path / 'nowhere')
    with pytest.raises(StationError):
        bag_file(tmp_path)
