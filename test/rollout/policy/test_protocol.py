"""The channel between the executor and the policy's process."""

import socket
import struct

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from enpire_nodes.rollout.policy.protocol import (
    Channel,
    ChannelClosedError,
    encode,
    Message,
    ProtocolError,
)


@pytest.fixture
def pair():
    first, second = socket.socketpair()
    channels = Channel(first, largest=1 << 20), Channel(second, largest=1 << 20)
    yield channels
    for channel in channels:
        channel.close()


@pytest.fixture
def raw():
    """Return a channel, and the bare socket at its other end."""
    ours, theirs = socket.socketpair()
    channel = Channel(ours, largest=1 << 16)
    yield channel, theirs
    channel.close()
    theirs.close()


def roundtrip(pair, message):
    assert pair[0].send(message, timeout=1.0)
    return pair[1].receive(timeout=1.0)


@pytest.mark.parametrize(
    'array',
    [
        np.arange(6.0).reshape(2, 3),
        np.array(1.5),
        np.zeros((0, 3)),
        np.arange(12.0).reshape(3, 4).T,
        np.array([np.nan, np.inf]),
        np.array([True, False]),
        np.arange(24, dtype=np.uint8).reshape(2, 4, 3),
    ],
)
def test_an_array_arrives_as_it_was_sent(pair, array):
    message = roundtrip(pair, Message('step', {'sequence': 3}, {'a': array}))
    assert message.kind == 'step'
    assert message.fields == {'sequence': 3}
    np.testing.assert_array_equal(message.arrays['a'], array)
    assert message.arrays['a'].dtype == array.dtype


def test_messages_keep_their_order_and_borders(pair):
    for index in range(5):
        pair[0].send(Message('m', {'i': index}, {'x': np.full(index, 1.0)}), timeout=1.0)
    received = [pair[1].receive(timeout=1.0) for _ in range(5)]
    assert [message.fields['i'] for message in received] == [0, 1, 2, 3, 4]


def test_nothing_in_time_is_none(pair):
    assert pair[1].receive(timeout=0.01) is None


def test_what_does_not_fit_the_buffer_goes_out_later(pair):
    picture = np.zeros(900_000, dtype=np.uint8)
    assert not pair[0].send(Message('step', {}, {'picture': picture}), timeout=0.0)
    for _ in range(100):
        message = pair[1].receive(timeout=0.01)
        pair[0].receive(timeout=0.0)
        if message is not None:
            break
    assert message.arrays['picture'].nbytes == 900_000


def test_an_object_array_is_not_carried():
    with pytest.raises(ProtocolError, match='dtype object'):
        encode(Message('action', {}, {'delta': np.array([object()])}))


def test_the_end_of_the_stream_is_told_apart(raw):
    channel, theirs = raw
    theirs.close()
    with pytest.raises(ChannelClosedError):
        channel.receive(timeout=1.0)


def test_other_bytes_are_refused(raw):
    channel, theirs = raw
    theirs.sendall(b'Traceback (most recent call last)')
    with pytest.raises(ProtocolError, match='not a message'):
        channel.receive(timeout=1.0)


def test_a_huge_message_is_refused_before_it_is_read(raw):
    channel, theirs = raw
    theirs.sendall(struct.pack('<4sII', b'ENP1', 10, 1 << 30))
    with pytest.raises(ProtocolError, match='at most 65536'):
        channel.receive(timeout=1.0)


@pytest.mark.parametrize(
    'header',
    [
        b'not json',
        b'[]',
        b'{"kind": 1, "fields": {}, "arrays": []}',
        b'{"kind": "a", "fields": {}, "arrays": [["x", "<f8", [1000000]]]}',
        b'{"kind": "a", "fields": {}, "arrays": [["x", "<f8", [-1]]]}',
        b'{"kind": "a", "fields": {}, "arrays": [["x", "|O", [1]]]}',
        b'{"kind": "a", "fields": {}, "arrays": [["x", "<f8", ["a"]]]}',
        b'{"kind": "a", "fields": {}, "arrays": []}',
        b'[' * 5000,
    ],
)
def test_a_header_that_lies_is_refused(raw, header):
    channel, theirs = raw
    theirs.sendall(struct.pack('<4sII', b'ENP1', len(header), 8) + header + bytes(8))
    with pytest.raises(ProtocolError):
        channel.receive(timeout=1.0)


@given(st.binary(min_size=1, max_size=200))
@settings(max_examples=100, deadline=None)
def test_no_bytes_do_harm(content):
    ours, theirs = socket.socketpair()
    channel = Channel(ours, largest=1 << 16)
    theirs.sendall(struct.pack('<4sII', b'ENP1', len(content), 0) + content)
    with pytest.raises(ProtocolError):
        channel.receive(timeout=1.0)
    channel.close()
    theirs.close()
