"""How many physics steps are due, when simulated time follows the clock on the wall."""

from __future__ import annotations


class Pacer:
    """Keeps simulated time at ``speed`` times wall time, and gives up what cannot be caught up.

    :param rate: physics steps a second of simulated time.
    :param speed: seconds of simulated time a second of the wall clock.
    :param patience: s of simulated time that may be caught up at once.
    """

    def __init__(self, rate: int, *, speed: float = 1.0, patience: float = 0.1) -> None:
        self._rate, self._speed, self._most = rate, speed, max(1, round(patience * rate))
        self._start: float | None = None
        self._done = 0
        self.slipped = 0.0

    def due(self, now: float) -> int:
        """Return the steps to run now; count them as done.

        :param now: s of the monotonic clock.
        """
        if self._start is None:
            self._start = now
        steps = int((now - self._start) * self._speed * self._rate) - self._done
        if steps > self._most:
            lost = steps - self._most
            self._start += lost / (self._rate * self._speed)
            self.slipped += lost / self._rate
            steps = self._most
        self._done += max(0, steps)
        return max(0, steps)
