"""Subscriptions that follow whatever is published, with real rclpy."""

import pytest
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.serialization import deserialize_message
from std_msgs.msg import String

from enpire_nodes.rollout.recording.taps import adapted, offered, Taps

RELIABLE = QoSProfile(depth=3)
BEST_EFFORT = QoSProfile(depth=3, reliability=ReliabilityPolicy.BEST_EFFORT)
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


@pytest.fixture
def received():
    return []


@pytest.fixture
def taps(ros, received):
    def receive(tap, data):
        received.append((tap.topic.name, deserialize_message(data, String).data))

    taps = Taps(ros.node, ['*/words', 'state', '/absolute'], receive)
    yield taps
    taps.close()


def publishers(ros, topic, count):
    name = ros.node.resolve_topic_name(topic)
    return ros.wait_until(
        lambda: (
            (found := ros.node.get_publishers_info_by_topic(name))
            and len(found) == count
            and found
        )
    )


def test_only_topics_that_fit_and_are_published_are_tapped(ros, taps):
    for topic in ('a/words', 'a/b/words', 'words', '/absolute', '/elsewhere/a/words'):
        ros.node.create_publisher(String, topic, RELIABLE)
    ros.node.create_subscription(String, 'b/words', lambda message: None, RELIABLE)
    publishers(ros, 'a/words', 1)
    new = taps.refresh()
    assert sorted(tap.topic.name for tap in new) == ['/absolute', '/station_1/a/words']
    assert taps.refresh() == []
    assert taps.matching('*/words') == ['/station_1/a/words']


def test_bytes_arrive_as_they_were_sent(ros, taps, received):
    publisher = ros.node.create_publisher(String, 'a/words', RELIABLE)
    publishers(ros, 'a/words', 1)
    (tap,) = taps.refresh()
    ros.wait_until(lambda: publisher.get_subscription_count() == 1)
    publisher.publish(String(data='hello'))
    ros.wait_until(lambda: received == [('/station_1/a/words', 'hello')])
    assert tap.received == 1
    assert deserialize_message(tap.last, String).data == 'hello'


def test_a_latched_message_that_was_sent_before_arrives_and_is_kept(ros, taps, received):
    publisher = ros.node.create_publisher(String, 'state', LATCHED)
    publisher.publish(String(data='old'))
    publishers(ros, 'state', 1)
    (tap,) = taps.refresh()
    ros.wait_until(lambda: received)
    assert deserialize_message(tap.last, String).data == 'old'


def test_a_publisher_of_less_quality_that_joins_is_heard_too(ros, taps, received):
    ros.node.create_publisher(String, 'a/words', RELIABLE)
    publishers(ros, 'a/words', 1)
    (tap,) = taps.refresh()
    second = ros.node.create_publisher(String, 'a/words', BEST_EFFORT)
    publishers(ros, 'a/words', 2)
    assert taps.refresh() == []
    assert len(tap.topic.qos) == 2
    ros.wait_until(lambda: second.get_subscription_count() == 1)

    def heard():
        second.publish(String(data='less'))
        return ('/station_1/a/words', 'less') in received

    ros.wait_until(heard)


@pytest.mark.parametrize(
    ('profiles', 'reliability', 'durability'),
    [
        ([RELIABLE], ReliabilityPolicy.RELIABLE, DurabilityPolicy.VOLATILE),
        ([LATCHED], ReliabilityPolicy.RELIABLE, DurabilityPolicy.TRANSIENT_LOCAL),
        ([RELIABLE, BEST_EFFORT], ReliabilityPolicy.BEST_EFFORT, DurabilityPolicy.VOLATILE),
        ([RELIABLE, LATCHED], ReliabilityPolicy.RELIABLE, DurabilityPolicy.VOLATILE),
    ],
)
def test_the_strictest_profile_that_hears_everybody_is_asked_for(
    ros, profiles, reliability, durability
):
    for profile in profiles:
        ros.node.create_publisher(String, 'a/words', profile)
    found = publishers(ros, 'a/words', len(profiles))
    profile = adapted(found)
    assert (profile.reliability, profile.durability) == (reliability, durability)


def test_what_is_offered_is_written_in_rosbag2_s_words(ros):
    ros.node.create_publisher(String, 'state', LATCHED)
    (found,) = publishers(ros, 'state', 1)
    profile = offered(found)
    assert (profile.reliability, profile.durability) == ('reliable', 'transient_local')
    assert profile.lifespan_ns == 2**63 - 1
    assert profile.document()['liveliness'] == 'automatic'


def test_a_type_that_is_not_installed_is_left_out_and_said_once(ros, taps, monkeypatch):
    ros.node.create_publisher(String, 'a/words', RELIABLE)
    publishers(ros, 'a/words', 1)

    def fail(name):
        raise ImportError('no such package')

    monkeypatch.setattr('enpire_nodes.rollout.recording.taps._import', fail)
    assert taps.refresh() == []
    monkeypatch.undo()
    assert taps.refresh() == []
