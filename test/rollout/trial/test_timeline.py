"""Intervals without gaps, and sums that agree with the ledger's."""

from __future__ import annotations

from itertools import pairwise
import time

import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.records import Activity, StateInterval
from enpire_nodes.rollout.trial import timeline as module
from enpire_nodes.rollout.trial.timeline import Timeline
from enpire_nodes.rollout.utilization import utilization


def test_intervals_touch_each_other(timeline, intervals):
    for activity in (Activity.RESETTING, Activity.EXECUTING, Activity.IDLE_NO_WORK):
        timeline.enter(activity)
        time.sleep(0.002)
    timeline.close()
    for before, after in pairwise(intervals):
        assert before.end_monotonic_ns == after.start_monotonic_ns
        assert before.end_ns == after.start_ns


def test_entering_the_same_activity_again_changes_nothing(intervals):
    changes = []
    timeline = Timeline(intervals.append, changed=lambda: changes.append(1))
    timeline.enter(Activity.RESETTING, trial_id='a')
    timeline.enter(Activity.RESETTING, trial_id='a')
    timeline.enter(Activity.RESETTING, trial_id='b')
    assert len(changes) == 2
    assert len(intervals) == 2


def test_running_sums_agree_with_the_sums_of_the_intervals(intervals):
    past = [StateInterval(Activity.EXECUTING, 0, 5 * 10**9, 0, 5 * 10**9, 'agent', 't')]
    timeline = Timeline(intervals.append, past=past)
    timeline.enter(Activity.RESETTING, requester='demo')
    time.sleep(0.01)
    timeline.enter(Activity.IDLE_NO_WORK)
    timeline.close()
    expected, whole = utilization([*past, *intervals]), timeline.whole()
    assert whole.wall_seconds == pytest.approx(expected.wall_seconds, abs=0.05)
    assert whole.seconds[Activity.EXECUTING] == 5.0
    assert whole.seconds[Activity.OFFLINE] > 1000.0  # since 1970: the gap before this process
    assert timeline.session().wall_seconds < 5.0
    assert timeline.session().requested['demo'] == pytest.approx(0.01, abs=0.05)


def test_the_open_interval_counts(timeline):
    timeline.enter(Activity.EXECUTING)
    time.sleep(0.02)
    assert timeline.session().seconds[Activity.EXECUTING] >= 0.02


def test_a_long_interval_is_written_in_parts(timeline, intervals, monkeypatch):
    monkeypatch.setattr(module, 'LONGEST', 0.0)
    timeline.enter(Activity.IDLE_NO_WORK)
    timeline.refresh()
    timeline.refresh()
    assert [interval.activity for interval in intervals[1:]] == [Activity.IDLE_NO_WORK] * 2


def test_a_full_disk_does_not_stop_the_station():
    def refuse(interval):
        raise StationError(ErrorCode.RUNNER_LEDGER_FAILED, 'disk full')

    timeline = Timeline(refuse)
    timeline.enter(Activity.RESETTING)
    assert timeline.activity is Activity.RESETTING
