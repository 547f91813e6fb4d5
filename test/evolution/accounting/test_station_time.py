"""The time of a station: whole, in windows, and as it is drawn."""

from hypothesis import given
from hypothesis import strategies as st
import pytest

from enpire_nodes.evolution.accounting.station_time import (
    robot_seconds_by_trial,
    segments,
    within,
)
from enpire_nodes.rollout.records import Activity, StateInterval, TrialRecord
from enpire_nodes.rollout.utilization import utilization

S = 10**9
T0 = 1_700_000_000 * S


def interval(activity, start, end, requester='agent', trial='t1'):
    return StateInterval(
        activity, T0 + start * S, T0 + end * S, start * S, end * S, requester, trial
    )


def chain(lengths):
    start, found = 0, []
    for number, (length, gap) in enumerate(lengths):
        start += gap
        activity = list(Activity)[1 + number % 8]
        found.append(interval(activity, start, start + length, f'r{number % 3}', f't{number}'))
        start += length
    return found


spans = st.lists(st.tuples(st.integers(0, 90), st.sampled_from([0, 0, 0, 5])), max_size=20)


@given(spans, st.integers(0, 900))
def test_two_windows_make_the_whole(lengths, cut):
    intervals = chain([(length, 0) for length, _ in lengths])
    end = T0 + 10_000 * S
    first, second = within(intervals, T0, T0 + cut * S), within(intervals, T0 + cut * S, end)
    assert first.robot_seconds + second.robot_seconds == pytest.approx(
        utilization(intervals).robot_seconds
    )


def test_a_window_cuts_intervals():
    intervals = [interval(Activity.EXECUTING, 0, 10), interval(Activity.IDLE_NO_WORK, 10, 20)]
    found = within(intervals, T0 + 5 * S, T0 + 15 * S)
    assert found.robot_utilization == pytest.approx(0.5)
    assert found.requested_utilization('agent') == pytest.approx(0.5)


def test_segments_join_neighbours_and_show_gaps():
    found = segments(
        [
            interval(Activity.RESETTING, 0, 5),
            interval(Activity.RESETTING, 5, 9, trial='t2'),
            interval(Activity.EXECUTING, 20, 30),
        ],
        T0,
    )
    assert [(item.activity, item.start, item.end) for item in found] == [
        (Activity.RESETTING, 0, 9),
        (Activity.OFFLINE, 9, 20),
        (Activity.EXECUTING, 20, 30),
    ]


def test_robot_time_is_what_the_robot_took_however_fast_it_is_simulated():
    trials = [
        TrialRecord('t1', reset_seconds=4.0, execute_seconds=3.0, wall_seconds=0.5),
        TrialRecord('t2', verify_seconds=1.0),
    ]
    assert robot_seconds_by_trial(trials) == {'t1': 7.0, 't2': 1.0}
