"""Control periods within leases."""

import pytest

from enpire_nodes.benchmark.jitter import deviations, Lease, leases

PERIOD_NS = 33_333_333


def test_leases_are_paired_by_holder_and_number():
    events = [
        (50, 'executor', 7, False),
        (10, 'executor', 7, True),
        (60, 'reset', 8, True),
        (70, 'executor', 9, False),
        (90, 'reset', 8, False),
    ]

    assert leases(events) == [Lease('executor', 10, 50), Lease('reset', 60, 90)]


def test_a_lease_that_was_not_given_back_does_not_count():
    assert leases([(10, 'executor', 7, True)]) == []


def test_deviation_of_each_period():
    sent = [0, PERIOD_NS, 2 * PERIOD_NS + 4_000_000, 3 * PERIOD_NS]

    found = deviations(sent, [Lease('executor', 0, 10**9)], 1 / 30)

    assert found == pytest.approx([0.0, 0.004, 0.004], abs=1e-8)


def test_pause_between_two_leases_is_no_period():
    sent = [0, PERIOD_NS, 50 * PERIOD_NS, 51 * PERIOD_NS]
    spans = [
        Lease('executor', 0, 2 * PERIOD_NS),
        Lease('executor', 49 * PERIOD_NS, 60 * PERIOD_NS),
    ]

    assert deviations(sent, spans, 1 / 30) == pytest.approx([0.0, 0.0], abs=1e-8)


def test_commands_of_other_holders_do_not_count():
    sent = [0, 5_000_000, 40_000_000, 80_000_000]

    assert deviations(sent, [Lease('executor', 30_000_000, 50_000_000)], 1 / 30) == []
