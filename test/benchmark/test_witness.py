"""What a witness takes from real topics."""

import time

import pytest

from enpire_nodes.benchmark.witness import fingerprint, Sighting, Watched, Witness
from enpire_nodes.ros import qos


@pytest.mark.parametrize(
    ('near', 'far', 'same'),
    [
        (b'\x00\x01\x00\x00abc\x00', b'\x00\x01\x00\x00abc\x00\x00\x00\x00', True),
        (b'\x00\x01\x00\x00abc', b'\x00\x01\x00\x03abc\x00', True),
        (b'\x00\x01\x00\x00abc', b'\x00\x01\x00\x00abd', False),
    ],
)
def test_fingerprint_does_not_depend_on_the_receiver(near, far, same):
    assert (fingerprint(near) == fingerprint(memoryview(far))) is same


@pytest.mark.parametrize(
    ('numbers', 'publishers', 'overlooked'),
    [
        ([5, 6, 7], 1, 0),
        ([5, 8, 9], 1, 2),
        ([5, 8, 9], 2, 0),
        ([5, 6, 1, 2], 1, 0),
        ([0, 0], 1, 0),
        ([], 1, 0),
    ],
)
def test_what_the_witness_itself_did_not_get(numbers, publishers, overlooked):
    seen = [Sighting(index, number, 0, 0) for index, number in enumerate(numbers)]

    assert Watched('/a', publishers, False, seen).overlooked == overlooked


@pytest.mark.ros
def test_sees_every_message_with_its_instant_and_number(station_domain):
    from geometry_msgs.msg import PoseStamped

    publisher = station_domain.node.create_publisher(PoseStamped, 'right/tcp_pose', qos.ARM_STATE)
    station_domain.node.create_publisher(PoseStamped, 'left/tcp_pose', qos.ARM_STATE)
    witness = Witness(
        '/station_1',
        wanted=lambda name: name == '/station_1/right/tcp_pose',
        keep=['/station_1/right/tcp_pose'],
    )
    try:
        station_domain.wait_until(lambda: publisher.get_subscription_count() == 1)
        before = time.time_ns()
        for number in range(200):
            message = PoseStamped()
            message.header.stamp.sec, message.header.stamp.nanosec = number, 7
            publisher.publish(message)
        after = time.time_ns()
    finally:
        witness.close()
    topic = witness.topics['/station_1/right/tcp_pose']
    assert list(witness.topics) == [topic.name]
    assert (topic.publishers, topic.latched, topic.overlooked) == (1, False, 0)
    seen = topic.sightings
    assert [one.stamp_ns for one in seen] == [number * 10**9 + 7 for number in range(200)]
    assert [one.sequence for one in seen] == list(range(1, 201))
    assert all(before <= one.sent_ns <= after for one in seen)
    assert len({one.digest for one in seen}) == 200
    assert seen[0].data
