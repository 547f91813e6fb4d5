"""What the station does at each instant: intervals without gaps, and their sums."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
import logging
import threading
import time

from enpire_nodes.common.errors import StationError
from enpire_nodes.rollout.records import Activity, StateInterval
from enpire_nodes.rollout.utilization import Utilization, utilization

_LOG = logging.getLogger(__name__)

#: s after which a long interval is written down and continued by another.
LONGEST = 60.0


class Timeline:
    """The current activity, and the sums of all that ended.

    Thread-safe. Time that the station itself costs (opening and closing the bag, the ledger) is
    idle time: it must not look like work.

    :param keep: gets every finished interval, to write it down; a :class:`StationError` of its is
        logged and does not stop the station.
    :param changed: called after every change of the activity.
    :param past: intervals of the same run that are written down already.
    """

    def __init__(
        self,
        keep: Callable[[StateInterval], None],
        *,
        changed: Callable[[], None] = lambda: None,
        past: Iterable[StateInterval] = (),
    ) -> None:
        self._keep, self._changed = keep, changed
        self._mutex = threading.RLock()
        self._whole, self._session = _Sums(past), _Sums()
        self._activity = Activity.OFFLINE
        self._requester = self._trial_id = ''
        self._in_trial = False
        self._since = (time.time_ns(), time.monotonic_ns())

    @property
    def activity(self) -> Activity:
        """What the station is doing now."""
        return self._activity

    def enter(self, activity: Activity, *, requester: str = '', trial_id: str = '') -> None:
        """Begin an activity now; it lasts until the next one begins."""
        with self._mutex:
            if (activity, requester, trial_id) == (
                self._activity,
                self._requester,
                self._trial_id,
            ):
                return
            self._cut()
            self._activity, self._requester, self._trial_id = activity, requester, trial_id
        self._changed()

    @contextmanager
    def trial(self) -> Iterator[None]:
        """Keep :meth:`rest` from speaking while a trial does."""
        with self._mutex:
            self._in_trial = True
        try:
            yield
        finally:
            with self._mutex:
                self._in_trial = False

    def rest(self, activity: Activity, *, requester: str = '') -> None:
        """Begin an activity unless a trial is under way."""
        with self._mutex:
            if not self._in_trial:
                self.enter(activity, requester=requester)

    def refresh(self) -> None:
        """Write down an interval that has become long; to be called now and then."""
        with self._mutex:
            if time.monotonic_ns() - self._since[1] > LONGEST * 1e9:
                self._cut()

    def close(self) -> None:
        """Write down the current interval; the timeline may go on afterwards."""
        with self._mutex:
            self._cut()

    def whole(self) -> Utilization:
        """Return the sums over the whole run, up to now."""
        with self._mutex:
            return self._whole.with_open(self._open())

    def session(self) -> Utilization:
        """Return the sums since this timeline was made, up to now."""
        with self._mutex:
            return self._session.with_open(self._open())

    def _open(self) -> StateInterval:
        return StateInterval(
            self._activity,
            self._since[0],
            time.time_ns(),
            self._since[1],
            time.monotonic_ns(),
            self._requester,
            self._trial_id,
        )

    def _cut(self) -> None:
        interval = self._open()
        self._since = (interval.end_ns, interval.end_monotonic_ns)
        self._whole.add(interval)
        self._session.add(interval)
        try:
            self._keep(interval)
        except StationError as error:
            _LOG.error('an interval of %.1f s is not written: %s', interval.seconds, error)


class _Sums:
    """A run's intervals in constant space: the sums, and the last one for the gap after it."""

    def __init__(self, intervals: Iterable[StateInterval] = ()) -> None:
        intervals = list(intervals)
        self._total = utilization(intervals)
        self._last = intervals[-1] if intervals else None

    def add(self, interval: StateInterval) -> None:
        self._total, self._last = self.with_open(interval), interval

    def with_open(self, interval: StateInterval) -> Utilization:
        pair = (self._last, interval) if self._last is not None else (interval,)
        latest = utilization(pair)
        if self._last is not None:
            latest = _less(latest, utilization((self._last,)))
        return _more(self._total, latest)


def _more(first: Utilization, second: Utilization, sign: float = 1.0) -> Utilization:
    def merged(a: dict, b: dict) -> dict:
        return {key: a.get(key, 0.0) + sign * b.get(key, 0.0) for key in {**a, **b}}

    return Utilization(
        first.wall_seconds + sign * second.wall_seconds,
        merged(dict(first.seconds), dict(second.seconds)),
        merged(dict(first.requested), dict(second.requested)),
    )


def _less(first: Utilization, second: Utilization) -> Utilization:
    return _more(first, second, -1.0)
