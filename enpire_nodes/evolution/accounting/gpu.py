"""How busy the GPU is, asked of ``nvidia-smi`` in a thread of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
import math
import shutil
import subprocess
import threading
import time

_DEADLINE = 5.0  # s for one answer: a driver that hangs must not hang the sampler


@dataclass(frozen=True, slots=True)
class GpuSample:
    """How busy the GPU was, on the average of the samples of a span that ended now.

    :param seconds: s, length of the span.
    :param share: 0 to 1; NaN without a GPU, or when it did not answer.
    """

    seconds: float
    share: float

    def data(self) -> dict[str, float | None]:
        """Return what the journal keeps of it: JSON has no NaN."""
        return {
            'seconds': self.seconds,
            'share': self.share if math.isfinite(self.share) else None,
        }


def query() -> float:
    """Return how busy the GPUs of this machine are, 0 to 1, their mean; NaN without one."""
    program = shutil.which('nvidia-smi')
    if program is None:
        return math.nan
    asked = [program, '--query-gpu=utilization.gpu', '--format=csv,noheader,nounits']
    try:
        answer = subprocess.run(
            asked, capture_output=True, text=True, timeout=_DEADLINE, check=True
        ).stdout
        shares = [float(line) / 100.0 for line in answer.split('\n') if line.strip()]
    except (OSError, subprocess.SubprocessError, ValueError):
        return math.nan  # a GPU that is not told of: the sample says so
    return sum(shares) / len(shares) if shares else math.nan


class GpuSampler:
    """Asks now and then; :meth:`take` returns the mean since it was last called.

    :param period: s between two questions.
    :param ask: returns a share or NaN; may block.
    """

    def __init__(self, *, period: float = 5.0, ask: Callable[[], float] = query) -> None:
        self._period, self._ask = period, ask
        self._mutex, self._ended = threading.Lock(), threading.Event()
        self._shares: list[float] = []
        self._since = time.monotonic()
        self._thread = threading.Thread(target=self._run, name='gpu-sampler', daemon=True)

    def start(self) -> None:
        """Begin to ask."""
        self._thread.start()

    def take(self) -> GpuSample:
        """Return how busy the GPU was since the last call, and begin a new span."""
        with self._mutex:
            shares, self._shares = self._shares, []
            now = time.monotonic()
            seconds, self._since = now - self._since, now
        return GpuSample(seconds, sum(shares) / len(shares) if shares else math.nan)

    def close(self) -> None:
        """End the thread; waits at most for one answer."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(_DEADLINE + 1.0)

    def _run(self) -> None:
        while not self._ended.is_set():
            share = self._ask()
            if math.isfinite(share):
                with self._mutex:
                    self._shares.append(share)
            self._ended.wait(self._period)
