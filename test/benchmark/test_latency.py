"""Verdicts and the pictures they needed."""

import pytest

from enpire_nodes.benchmark.latency import Decision, latencies, Picture

MS = 1_000_000


def pictures(delay_ms: int, *, first_ms: int = 0, count: int = 6) -> list[Picture]:
    """Exposed every 100 ms, and sent a little later."""
    exposed = [(first_ms + 100 * number) * MS for number in range(count)]
    return [Picture(instant + delay_ms * MS, instant) for instant in exposed]


def test_counts_from_the_last_picture_of_the_slower_camera():
    seen = {'side': pictures(5), 'front': pictures(12)}
    decision = Decision(sent_ns=(300 + 12 + 8) * MS, settled_ns=50 * MS, needed=3)

    assert latencies([decision], seen) == [pytest.approx(0.008)]


def test_pictures_exposed_before_the_arm_had_settled_are_not_needed():
    seen = {'side': pictures(5)}
    settled_between, settled_at = 101 * MS, 100 * MS

    early = latencies([Decision(400 * MS, settled_at, 2)], seen)
    late = latencies([Decision(400 * MS, settled_between, 2)], seen)

    assert early == [pytest.approx(0.195)]
    assert late == [pytest.approx(0.095)]


def test_a_verdict_made_without_its_pictures_has_no_latency():
    seen = {'side': pictures(5, count=2), 'front': pictures(5)}

    assert latencies([Decision(900 * MS, 0, 3)], seen) == []
    assert latencies([Decision(100 * MS, 0, 3)], {'front': pictures(5)}) == []
    assert latencies([Decision(900 * MS, 0, 0)], seen) == []
    assert latencies([Decision(900 * MS, 0, 3)], {}) == []
