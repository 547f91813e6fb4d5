"""Curves on the disk, and a disk that fills up under them."""

import errno
import json
import logging
import struct

import pytest

from enpire_nodes.improvement.curves import Curves


def points(path):
    """Read an event file: (step, tag, value) by the framing of TFRecord."""
    from tensorboardX.crc32c import crc32c
    from tensorboardX.proto.event_pb2 import Event

    def masked(data):
        crc = crc32c(data)
        return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF

    found, content = [], path.read_bytes()
    while content:
        (length,) = struct.unpack('<Q', content[:8])
        assert struct.unpack('<I', content[8:12])[0] == masked(content[:8])
        data, content = content[12 : 12 + length], content[12 + length :]
        assert struct.unpack('<I', content[:4])[0] == masked(data)
        content = content[4:]
        event = Event.FromString(data)
        found += [(event.step, value.tag, value.simple_value) for value in event.summary.value]
    return found


def lines(folder):
    text = (folder / 'curves.jsonl').read_text('utf-8')
    return [json.loads(line) for line in text.splitlines()]


def test_points_are_in_both_files(tmp_path):
    curves = Curves(tmp_path / 'curves')
    curves.add(10, {'loss': 0.5, 'critic/value': 2})
    curves.add(20, {'loss': 0.25})
    curves.close()
    rows = lines(tmp_path / 'curves')
    assert [{k: v for k, v in row.items() if k != 'time'} for row in rows] == [
        {'step': 10, 'loss': 0.5, 'critic/value': 2.0},
        {'step': 20, 'loss': 0.25},
    ]
    assert rows[0]['time'] <= rows[1]['time']
    (events,) = (tmp_path / 'curves').glob('events.out.tfevents.*')
    assert points(events) == [(10, 'loss', 0.5), (10, 'critic/value', 2.0), (20, 'loss', 0.25)]


def test_a_line_is_there_as_soon_as_it_is_added(tmp_path):
    curves = Curves(tmp_path)
    curves.add(1, {'loss': 0.5})
    assert [row['step'] for row in lines(tmp_path)] == [1]
    curves.close()


def test_another_run_goes_on_in_the_same_file(tmp_path):
    for step in (1, 2):
        curves = Curves(tmp_path)
        curves.add(step, {'loss': 0.5})
        curves.close()
    assert [row['step'] for row in lines(tmp_path)] == [1, 2]


@pytest.mark.parametrize('broken', ['_file', '_events'])
def test_a_full_disk_is_told_once_and_training_goes_on(tmp_path, caplog, monkeypatch, broken):
    def full(*_):
        raise OSError(errno.ENOSPC, 'No space left on device')

    class Full:
        write = write_event = flush = close = full

    curves = Curves(tmp_path)
    monkeypatch.setattr(curves, broken, Full())
    with caplog.at_level(logging.WARNING):
        for step in range(200):
            curves.add(step, {'loss': 0.5})
    assert [record.message.partition(';')[0] for record in caplog.records] == [
        'curves are not written any more: [Errno 28] No space left on device'
    ]
    curves.close()
    assert 'the end of the curves is lost' in caplog.text


def test_a_disk_that_is_full_from_the_beginning_stops_nothing(tmp_path, caplog):
    (tmp_path / 'curves').write_text('in the way', 'utf-8')
    curves = Curves(tmp_path / 'curves')
    curves.add(1, {'loss': 0.5})
    curves.close()
    assert len(caplog.records) == 1
    assert 'curves are not written' in caplog.text
