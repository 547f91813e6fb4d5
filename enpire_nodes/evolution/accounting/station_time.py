"""What a station did with its time: MRU over a run or a window of it, and segments to draw."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from enpire_nodes.rollout.records import Activity, StateInterval, TrialRecord
from enpire_nodes.rollout.utilization import Utilization, utilization


@dataclass(frozen=True, slots=True)
class Segment:
    """A span in which a station did one thing for one requester.

    :param start: s since the origin of the drawing; ``end`` likewise.
    """

    activity: Activity
    start: float
    end: float
    requester: str = ''


def clipped(
    intervals: Iterable[StateInterval], start_ns: int, end_ns: int
) -> Iterator[StateInterval]:
    """Yield the parts of intervals that lie within a span of the wall clock.

    Both clocks are cut by the same length, so that a length stays one of the monotonic clock.
    """
    for interval in intervals:
        before = max(0, start_ns - interval.start_ns)
        after = max(0, interval.end_ns - end_ns)
        length = interval.end_monotonic_ns - interval.start_monotonic_ns
        if interval.end_ns <= start_ns or interval.start_ns >= end_ns:
            continue
        if before + after >= length:  # the clocks ran apart
            continue
        yield replace(
            interval,
            start_ns=interval.start_ns + before,
            end_ns=interval.end_ns - after,
            start_monotonic_ns=interval.start_monotonic_ns + before,
            end_monotonic_ns=interval.end_monotonic_ns - after,
        )


def within(intervals: Iterable[StateInterval], start_ns: int, end_ns: int) -> Utilization:
    """Return what a station did within a span of the wall clock.

    Time of the span of which the ledger says nothing, at its begin or end, is in no activity and
    not in ``wall_seconds``.
    """
    return utilization(clipped(intervals, start_ns, end_ns))


def segments(intervals: Iterable[StateInterval], origin_ns: int) -> list[Segment]:
    """Return spans to draw, in order; neighbours of one kind become one.

    :param origin_ns: wall-clock instant of 0 s.
    """
    found: list[Segment] = []
    for interval in intervals:
        start = (interval.start_ns - origin_ns) / 1e9
        end = (interval.end_ns - origin_ns) / 1e9
        last = found[-1] if found else None
        if last is not None and start - last.end > 1.0:
            found.append(Segment(Activity.OFFLINE, last.end, start))
            last = None
        same = last is not None and (
            (last.activity, last.requester) == (interval.activity, interval.requester)
        )
        if same:
            found[-1] = replace(last, end=end)
        else:
            found.append(Segment(interval.activity, start, end, interval.requester))
    return found


def robot_seconds_by_trial(trials: Iterable[TrialRecord]) -> dict[str, float]:
    """Return s of resetting, executing and verifying, by trial.

    By the station's clock: what a robot takes, however fast a simulation runs.
    """
    return {trial.trial_id: trial.robot_seconds for trial in trials}
