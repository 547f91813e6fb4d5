"""Bags held against a witness and against the rhythm of lockstep."""

import pytest
from trial_support import counter, write_bag

from enpire_nodes.benchmark import losses
from enpire_nodes.benchmark.losses import against_stamps, against_witness, bag_messages, TopicLoss
from enpire_nodes.benchmark.witness import fingerprint, Sighting, Watched

PERIOD = 10**9 / 30
EVERYTHING = (0, 10**18)


def watched(name, numbers, *, latched=False):
    """See one message every 10 ms, whose content is its number."""
    sightings = [
        Sighting(number * 10_000_000, number + 1, fingerprint(counter(number)), 0)
        for number in numbers
    ]
    return Watched(name, 1, latched, sightings)


def held(numbers):
    return [(fingerprint(counter(number)), 0) for number in numbers]


def test_whole_bag_lacks_nothing():
    found = against_witness({'/a': held(range(100))}, [watched('/a', range(100))], EVERYTHING)

    assert found == [TopicLoss('/a', 100, 0)]


def test_gap_is_found_and_counted():
    bag = {'/a': held([*range(40), *range(43, 100)]), '/b': held(range(100))}
    topics = [watched('/a', range(100)), watched('/b', range(100))]

    found = against_witness(bag, topics, EVERYTHING)

    assert found == [TopicLoss('/a', 100, 3), TopicLoss('/b', 100, 0)]


def test_topic_that_is_missing_altogether_is_lost():
    found = against_witness({}, [watched('/a', range(100))], EVERYTHING)

    assert found == [TopicLoss('/a', 100, 100)]


def test_what_was_sent_before_and_after_the_work_is_not_expected():
    span = (200 * 10_000_000, 299 * 10_000_000)

    found = against_witness({'/a': held(range(200, 300))}, [watched('/a', range(1000))], span)

    assert found == [TopicLoss('/a', 100, 0)]


def test_message_that_came_twice_and_was_kept_once_is_lost_once():
    twice = watched('/a', [*range(50), 49, *range(50, 100)])

    assert against_witness({'/a': held(range(100))}, [twice], EVERYTHING)[0].lost == 1


def stamped(numbers):
    return [(0, round(1e9 + number * PERIOD)) for number in numbers]


def periods(first, last):
    """Return a span that begins and ends a little within two periods."""
    return round(1e9 + first * PERIOD - 1000), round(1e9 + last * PERIOD + 1000)


def test_every_period_has_its_stamp():
    bag = {'/pose': stamped(range(31)), '/wrench': stamped([*range(10), *range(12, 31)])}

    found = against_stamps(bag, ['/pose', '/wrench', '/gripper'], periods(1, 29), PERIOD)

    assert found == [
        TopicLoss('/gripper', 29, 29),
        TopicLoss('/pose', 29, 0),
        TopicLoss('/wrench', 29, 2),
    ]


def test_period_that_all_topics_lack_is_lost_in_all():
    numbers = [*range(10), *range(11, 31)]
    bag = {'/pose': stamped(numbers), '/wrench': stamped(numbers)}

    found = against_stamps(bag, list(bag), periods(0, 30), PERIOD)

    assert [entry.lost for entry in found] == [1, 1]


def test_bag_that_ends_before_the_work_lacks_its_end():
    found = against_stamps({'/pose': stamped(range(20))}, ['/pose'], periods(5, 24), PERIOD)

    assert found == [TopicLoss('/pose', 20, 5)]


def test_repeated_state_counts_once():
    bag = {'/pose': stamped([0, 1, 1, 1, 2, 3])}

    assert against_stamps(bag, ['/pose'], periods(0, 3), PERIOD) == [TopicLoss('/pose', 4, 0)]


def test_bag_without_any_stamp_tells_nothing():
    assert against_stamps({}, ['/pose'], periods(0, 3), PERIOD) == [TopicLoss('/pose', 0, 0)]


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
