"""A runner on paper whose trials are open for a while, so that it can be killed in one of them."""

from __future__ import annotations

import os
from pathlib import Path
import sys
import time

from paper_runner import GOOD, PaperRunner, rate

from enpire_nodes.bringup.container import end_with_parent
from enpire_nodes.rollout.records import TrialRecord
from enpire_nodes.ros.main import run


class NightRunner(PaperRunner):
    """Closes each trial ``seconds`` after it was begun; no night hangs on luck."""

    @staticmethod
    def succeeds(commit: str, seed: int) -> bool:
        """Let a good commit succeed always, and a bad one never."""
        return rate(commit) == GOOD

    def configure(self) -> None:
        """Take goals, and time for each."""
        super().configure()
        close = self.station.ledger.close_trial

        def close_later(trial: TrialRecord) -> object:
            time.sleep(self._seconds)
            return close(trial)

        self.station.ledger.close_trial = close_later


if __name__ == '__main__':
    end_with_parent(os.getppid())  # a test that is interrupted leaves no runner behind
    split = sys.argv.index('--ros-args')
    directory, seconds = sys.argv[1:split]
    raise SystemExit(run(lambda: NightRunner(Path(directory), float(seconds))))
