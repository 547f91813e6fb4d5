"""Tells an agent that is stuck from one that works or waits."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Activity:
    """What the station knows of the agent, whatever the agent says.

    :param in_flight: requests to the model.
    :param model_seen: when something passed between it and the model last, s (monotonic).
    :param jobs: of the agent, queued or running.
    :param progress: a number that grows with what it brought about, by the journal: trials asked
        for, ideas pushed.
    :param model_down: whether the model could not be reached, or did not serve, the last time.
    """

    in_flight: int = 0
    model_seen: float = float('-inf')
    jobs: int = 0
    progress: int = 0
    model_down: bool = False


class Watchdog:
    """Says when there was no sign of life for too long.

    :param stall_after: s without an event, a request to the model, a job, or progress.
    :param think_longest: s that requests may be under way without an event.
    """

    def __init__(self, stall_after: float, think_longest: float) -> None:
        self._stall_after, self._think_longest = stall_after, think_longest
        self._seen = 0.0
        self._thinking_since: float | None = None
        self._progress = 0

    def begin(self, now: float) -> None:
        """Begin anew: the agent was started, or goes on."""
        self._seen, self._thinking_since = now, None

    def event(self, now: float) -> None:
        """Note that the agent said something."""
        self._seen = now
        if self._thinking_since is not None:
            self._thinking_since = now

    def look(self, now: float, activity: Activity) -> str:
        """Return what is wrong, or an empty string."""
        if activity.in_flight:
            self._seen = now
            if self._thinking_since is None:
                self._thinking_since = now
            spent = now - self._thinking_since
            if spent > self._think_longest:
                return f'the model has been at work for {spent:.0f} s without an answer'
            return ''
        self._thinking_since = None
        if activity.jobs or activity.progress != self._progress:
            self._seen, self._progress = now, activity.progress
        quiet = now - max(self._seen, min(activity.model_seen, now))
        if quiet > self._stall_after:
            return f'no sign of life for {quiet:.0f} s: no output, no request, no job'
        return ''
