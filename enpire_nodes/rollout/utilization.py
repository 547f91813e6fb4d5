"""How much of its time a station worked, from the intervals in its ledger and never estimated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
import math

from enpire_nodes.rollout.records import Activity, StateInterval

#: The activities in which the robot works for an experiment.
WORKING = (Activity.RESETTING, Activity.EXECUTING, Activity.VERIFYING)

# Intervals of one process follow each other closer than this; a wider gap spans a restart.
_SAME_PROCESS_NS = 10**9


@dataclass(frozen=True, slots=True)
class Utilization:
    """The time of a station, each instant in exactly one activity.

    :param seconds: s in each activity that occurred; they add up to ``wall_seconds``.
    :param requested: s of work (:data:`WORKING`) by who asked for it.
    """

    wall_seconds: float
    seconds: Mapping[Activity, float]
    requested: Mapping[str, float]

    @property
    def robot_seconds(self) -> float:
        """Time in s of resetting, executing and verifying."""
        return sum(self.seconds.get(activity, 0.0) for activity in WORKING)

    @property
    def robot_utilization(self) -> float:
        """MRU: the share of wall-clock in which the robot worked; NaN without any time."""
        return self._share(self.robot_seconds)

    @property
    def execution_utilization(self) -> float:
        """The strict MRU: the share of wall-clock in which a policy had the arms."""
        return self._share(self.seconds.get(Activity.EXECUTING, 0.0))

    def requested_utilization(self, requester: str) -> float:
        """Return the part of the MRU that ``requester`` asked for."""
        return self._share(self.requested.get(requester, 0.0))

    def _share(self, seconds: float) -> float:
        return seconds / self.wall_seconds if self.wall_seconds > 0.0 else math.nan


def utilization(intervals: Iterable[StateInterval]) -> Utilization:
    """Add up what a station did, in the order in which it did it.

    Lengths are by the monotonic clock. A gap, left by a process that ended, is time OFFLINE; its
    length is by the wall clock, because the machine may have been restarted.
    """
    seconds: dict[Activity, float] = {}
    requested: dict[str, float] = {}
    previous: StateInterval | None = None
    for interval in intervals:
        if previous is not None and (gap := _gap(previous, interval)) > 0.0:
            seconds[Activity.OFFLINE] = seconds.get(Activity.OFFLINE, 0.0) + gap
        seconds[interval.activity] = seconds.get(interval.activity, 0.0) + interval.seconds
        if interval.activity in WORKING:
            requested[interval.requester] = (
                requested.get(interval.requester, 0.0) + interval.seconds
            )
        previous = interval
    return Utilization(sum(seconds.values()), seconds, requested)


def _gap(previous: StateInterval, interval: StateInterval) -> float:
    gap_ns = interval.start_monotonic_ns - previous.end_monotonic_ns
    if not 0 <= gap_ns < _SAME_PROCESS_NS:
        gap_ns = interval.start_ns - previous.end_ns
    return max(0, gap_ns) / 1e9
