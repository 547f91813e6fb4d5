"""What keeps a campaign from asking the robot for a trial."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
import time

from enpire_nodes.common.errors import ErrorCode

#: Reasons that only a person ends, with ``~/resume``.
PERSON, ESTOP, OPERATOR = 'paused', 'emergency stop', 'operator needed'
#: Reasons after which the robot is asked again by itself.
JUDGE, STATION = 'judge doubted', 'station not ready'

#: Reasons that pause the agent's own processes, too.
STOPS_AGENT = (PERSON, ESTOP)
_AGAIN = {JUDGE: 10.0, STATION: 2.0}  # s
#: Reasons that are over once a trial could be run.
RETRIED = tuple(_AGAIN)
_ESTOPPED = (ErrorCode.GATE_ESTOPPED, ErrorCode.RUNNER_ESTOPPED)


@dataclass(slots=True)
class Holds:
    """The reasons that hold now, each with words for a person.

    :param clock: monotonic, s.
    """

    clock: Callable[[], float] = time.monotonic
    reasons: dict[str, str] = field(default_factory=dict)
    _again: dict[str, float] = field(default_factory=dict)

    def hold(self, reason: str, words: str) -> None:
        """Hold for a reason; again with other words only changes the words."""
        self.reasons[reason] = words
        if reason in _AGAIN:
            self._again[reason] = self.clock() + _AGAIN[reason]

    def release(self, *reasons: str) -> None:
        """End some reasons; all of them when none is named."""
        for reason in reasons or tuple(self.reasons):
            self.reasons.pop(reason, None)
            self._again.pop(reason, None)

    def refused(self, code: ErrorCode, words: str) -> None:
        """Hear that the station could not go on, and hold for what fits."""
        if code in _ESTOPPED:
            self.hold(ESTOP, f'{words}; rearm the gate, then call ~/resume of the supervisor')
        elif code is ErrorCode.RUNNER_OPERATOR_NEEDED:
            self.hold(OPERATOR, f'{words}; put the scene right, then call ~/resume')
        elif code is ErrorCode.RUNNER_JUDGE_DOUBTED:
            self.hold(JUDGE, words)
        else:
            self.hold(STATION, words)

    @property
    def stops_agent(self) -> bool:
        """Whether the agent's own processes must rest, too."""
        return any(reason in self.reasons for reason in STOPS_AGENT)

    def words(self) -> str:
        """Say why the robot is not asked now; empty when it may be."""
        now = self.clock()
        held = [
            f'{reason}: {words}'
            for reason, words in self.reasons.items()
            if self._again.get(reason, now + 1.0) > now
        ]
        return '; '.join(held)
