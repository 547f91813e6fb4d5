"""What a station has said lately, kept for whoever shows it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from enpire_msgs.msg import ResearchStatus, ResetStatistics, StationState, Trial

#: Closed trials that are kept.
KEPT = 8


@dataclass(slots=True)
class Board:
    """The newest messages of a station.

    :param notice: what the client itself has to say, empty when nothing.
    :param closed: trials announced since the board was made.
    """

    state: StationState = field(default_factory=StationState)
    resets: ResetStatistics = field(default_factory=ResetStatistics)
    research: ResearchStatus = field(default_factory=ResearchStatus)
    trials: deque[Trial] = field(default_factory=lambda: deque(maxlen=KEPT))
    notice: str = ''
    closed: int = 0

    def add_trial(self, trial: Trial) -> None:
        """Take a closed trial; one that was announced before is ignored."""
        if all(known.trial_id != trial.trial_id for known in self.trials):
            self.trials.append(trial)
            self.closed += 1
