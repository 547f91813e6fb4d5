"""Bags held against a witness and against the rhythm of lockstep."""

import pytest
from trial_support import counter, write_bag

from enpire_nodes.benchmark import losses
from enpire_nodes.benchmark.losses import against_stamps, against_witness, bag_messages, TopicLoss
from enpire_nodes.benchmark.witness import fingerprint, Sighting, Watched

PERIOD = 10**9 / 30


def watched(name, numbers, *, latched=False):
    """See one message every 10 ms, whose content is its number."""
    sightings = [
        Sighting(number * 10_000_000, number + 1, fingerprint(counter(number)), 0)
        for number in numbers
    ]
    return Watched(name, 1, latched, sightings)


def lost_in(bag, topics):
    """Hold a bag against topics all of which are steady."""
    return against_witness(bag, topics, steady=[topic.name for topic in topics])


def held(numbers):
    return [(fingerprint(counter(number)), 0) for number in numbers]


def test_whole_bag_lacks_nothing():
    found = lost_in({'/a': held(range(100))}, [watched('/a', range(100))])

    assert found == [TopicLoss('/a', 80, 0)]  # 10 at each end are left out


def test_gap_is_found_and_counted():
    bag = {'/a': held([*range(40), *range(43, 100)]), '/b': held(range(100))}

    found = lost_in(bag, [watched('/a', range(100)), watched('/b', range(100))])

    assert found == [TopicLoss('/a', 80, 3), TopicLoss('/b', 80, 0)]


def test_topic_that_is_missing_altogether_is_lost():
    bag = {'/b': held(range(100)), '/c': held(range(100))}
    topics = [watched(name, range(100)) for name in ('/a', '/b', '/c')]

    assert lost_in(bag, topics)[0] == TopicLoss('/a', 80, 80)


def test_topic_that_ends_early_is_found():
    bag = {'/a': held(range(50)), '/b': held(range(100)), '/c': held(range(100))}
    topics = [watched(name, range(100)) for name in ('/a', '/b', '/c')]

    assert lost_in(bag, topics)[0].lost == 40


def test_what_was_sent_before_and_after_the_bag_is_not_expected():
    found = lost_in({'/a': held(range(200, 300))}, [watched('/a', range(1000))])

    assert found == [TopicLoss('/a', 80, 0)]


def test_one_topic_that_had_waited_does_not_move_the_beginning():
    bag = {'/a': held(range(300)), '/b': held(range(200, 300)), '/c': held(range(200, 300))}
    topics = [watched(name, range(300)) for name in ('/a', '/b', '/c')]

    assert sum(entry.lost for entry in lost_in(bag, topics)) == 0


def test_topic_that_speaks_now_and_then_does_not_say_when_the_bag_was_open():
    bag = {'/a': held(range(100)), '/b': held([50, 51]), '/c': held([60, 61])}
    topics = [watched('/a', range(100)), watched('/b', [50, 51]), watched('/c', [60, 61])]

    found = against_witness(bag, topics, steady=['/a'])

    assert found[0] == TopicLoss('/a', 80, 0)


def test_message_that_came_twice_and_was_kept_once_is_lost_once():
    twice = watched('/a', [*range(50), 49, *range(50, 100)])

    assert lost_in({'/a': held(range(100))}, [twice])[0].lost == 1


def test_empty_bag_tells_nothing():
    assert lost_in({}, [watched('/a', range(100))]) == []


def stamped(numbers):
    return [(0, round(1e9 + number * PERIOD)) for number in numbers]


def test_every_period_has_its_stamp():
    bag = {'/pose': stamped(range(31)), '/wrench': stamped([*range(10), *range(12, 31)])}

    found = against_stamps(bag, ['/pose', '/wrench', '/gripper'], PERIOD)

    assert found == [
        TopicLoss('/gripper', 29, 29),
        TopicLoss('/pose', 29, 0),
        TopicLoss('/wrench', 29, 2),
    ]


def test_period_that_all_topics_lack_is_lost_in_all():
    numbers = [*range(10), *range(11, 31)]
    bag = {'/pose': stamped(numbers), '/wrench': stamped(numbers)}

    assert [entry.lost for entry in against_stamps(bag, list(bag), PERIOD)] == [1, 1]


def test_repeated_state_counts_once():
    bag = {'/pose': stamped([0, 1, 1, 1, 2, 3])}

    assert against_stamps(bag, ['/pose'], PERIOD) == [TopicLoss('/pose', 2, 0)]


def test_losses_of_several_bags_are_added():
    found = losses.total([[TopicLoss('/a', 5, 1)], [TopicLoss('/a', 6, 0), TopicLoss('/b', 1, 1)]])

    assert found == [TopicLoss('/a', 11, 1), TopicLoss('/b', 1, 1)]


def test_messages_of_a_real_bag(tmp_path):
    write_bag(tmp_path / 'bag', 10)

    found = bag_messages(tmp_path / 'bag')

    assert found['/station_1/a'] == [
        (fingerprint(counter(number)), pytest.approx(number * 10**9, abs=2**32))
        for number in range(0, 10, 2)
    ]
    assert len(found['/station_1/b']) == 5
