"""Time in each activity, from intervals."""

import math

from hypothesis import given
from hypothesis import strategies as st
import pytest

from enpire_nodes.rollout.records import Activity, StateInterval
from enpire_nodes.rollout.utilization import utilization

SECOND = 10**9


def interval(activity, start, end, *, requester='', offset=0):
    """Return an interval; ``offset`` s tells the monotonic clock from the wall clock."""
    return StateInterval(
        activity,
        start * SECOND,
        end * SECOND,
        (start + offset) * SECOND,
        (end + offset) * SECOND,
        requester,
    )


def test_both_forms_and_who_asked():
    used = utilization(
        [
            interval(Activity.RESETTING, 0, 10, requester='agent'),
            interval(Activity.EXECUTING, 10, 15, requester='agent'),
            interval(Activity.VERIFYING, 15, 16, requester='agent'),
            interval(Activity.IDLE_WAITING_AGENT, 16, 30),
            interval(Activity.RESETTING, 30, 36, requester='background'),
            interval(Activity.FAULTED, 36, 40),
        ]
    )
    assert used.wall_seconds == 40.0
    assert used.robot_utilization == pytest.approx(22 / 40)
    assert used.execution_utilization == pytest.approx(5 / 40)
    assert used.requested_utilization('agent') == pytest.approx(16 / 40)
    assert used.requested_utilization('background') == pytest.approx(6 / 40)
    assert used.requested_utilization('nobody') == 0.0


def test_a_gap_is_time_offline():
    used = utilization(
        [interval(Activity.EXECUTING, 0, 10), interval(Activity.IDLE_NO_WORK, 25, 30)]
    )
    assert used.seconds[Activity.OFFLINE] == 15.0
    assert used.wall_seconds == 30.0


def test_a_gap_across_a_restart_of_the_machine_is_by_the_wall_clock():
    used = utilization(
        [
            interval(Activity.EXECUTING, 1000, 1010),
            interval(Activity.EXECUTING, 1100, 1110, offset=-1095),
        ]
    )
    assert used.seconds[Activity.OFFLINE] == 90.0


def test_a_wall_clock_that_is_set_changes_no_length():
    before, after = interval(Activity.EXECUTING, 0, 10), interval(Activity.EXECUTING, 3610, 3620)
    after = StateInterval(after.activity, after.start_ns, after.end_ns, 10 * SECOND, 20 * SECOND)
    used = utilization([before, after])
    assert used.wall_seconds == 20.0
    assert Activity.OFFLINE not in used.seconds


def test_without_intervals_there_is_no_share():
    assert math.isnan(utilization([]).robot_utilization)


@given(
    st.lists(
        st.tuples(st.sampled_from(list(Activity)[1:]), st.integers(0, 100), st.integers(1, 100)),
        max_size=20,
    )
)
def test_the_activities_add_up_to_the_wall_clock(pieces):
    clock, intervals = 0, []
    for activity, gap, length in pieces:
        start = clock + (gap if intervals else 0)
        clock = start + length
        intervals.append(interval(activity, start, clock))
    used = utilization(intervals)
    assert used.wall_seconds == pytest.approx(clock)
    assert sum(used.seconds.values()) == pytest.approx(used.wall_seconds)
