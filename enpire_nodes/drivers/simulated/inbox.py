"""Commands on their way to the arms: checked, completed, and missed when they stay away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from enpire_nodes.common.types import ArmCommand

#: The only frame that targets may be expressed in.
FRAME = 'world'


@dataclass(slots=True)
class _Slot:
    """What has come in for one arm; stamps in ns, -1 before the first."""

    position: np.ndarray | None = None
    quaternion: np.ndarray | None = None
    gripper: tuple[float, float] | None = None
    target_stamp: int = -1
    gripper_stamp: int = -1
    arrival: float = -float('inf')
    fresh: bool = False
    refused: bool = False
    live: bool = False


class CommandInbox:
    """Pairs targets and gripper commands of each arm.

    A refused message counts as arrived, so that lockstep goes on, but its arm is to be held.

    :param arms: their names.
    :param grippers: (m, N) width and effort of each arm until its first gripper command.
    :param timeout: s without a target after which an arm is stale.
    """

    def __init__(
        self, arms: Sequence[str], grippers: dict[str, tuple[float, float]], *, timeout: float
    ) -> None:
        self._slots = {arm: _Slot(gripper=grippers[arm]) for arm in arms}
        self.timeout = timeout
        self.refused = 0

    def target(
        self,
        arm: str,
        *,
        stamp: int,
        frame: str,
        position: np.ndarray,
        quaternion: np.ndarray,
        arrival: float,
    ) -> str:
        """Take a target of an arm in.

        :param stamp: ns, of the message.
        :param frame: it is expressed in.
        :param position: (3,) m.
        :param quaternion: (4,) xyzw.
        :param arrival: s of the monotonic clock.
        :return: why it is refused; empty when it is accepted.
        """
        slot = self._slots[arm]
        slot.target_stamp = stamp
        reason = ''
        if frame != FRAME:
            reason = f'frame {frame!r} is not {FRAME!r}'
        elif not (np.all(np.isfinite(position)) and np.all(np.isfinite(quaternion))):
            reason = 'the target is not finite'
        elif abs(float(np.linalg.norm(quaternion)) - 1.0) > 0.01:
            reason = 'the orientation is not a unit quaternion'
        if reason:
            return self._refuse(arm, reason)
        slot.position, slot.quaternion = position, quaternion
        slot.arrival, slot.fresh, slot.live = arrival, True, True
        return ''

    def gripper(self, arm: str, *, stamp: int, width: float, effort: float) -> str:
        """Take a gripper command in: ``width`` in m, ``effort`` in N; as :meth:`target`."""
        slot = self._slots[arm]
        slot.gripper_stamp = stamp
        if not (np.isfinite(width) and np.isfinite(effort)) or effort < 0.0:
            return self._refuse(arm, 'the gripper command is not finite or its effort negative')
        slot.gripper, slot.fresh = (width, effort), True
        return ''

    def complete(self, stamp: int) -> bool:
        """Whether every arm's target and gripper command stamped ``stamp`` (ns) are there."""
        return all(
            slot.target_stamp == stamp and slot.gripper_stamp == stamp
            for slot in self._slots.values()
        )

    def take(self) -> tuple[dict[str, ArmCommand], list[str]]:
        """Return the new commands by arm, and the arms to hold because theirs were refused."""
        commands, held = {}, []
        for arm, slot in self._slots.items():
            if slot.refused:
                held.append(arm)
            elif slot.fresh and slot.position is not None:
                commands[arm] = ArmCommand(slot.position, slot.quaternion, *slot.gripper)
            slot.fresh = slot.refused = False
        return commands, held

    def newly_stale(self, now: float) -> list[str]:
        """Return the arms that were commanded and are no longer; each silence is told once."""
        stale = [
            arm
            for arm, slot in self._slots.items()
            if slot.live and now - slot.arrival > self.timeout
        ]
        for arm in stale:
            # A gripper command alone must not bring the old target back.
            self._slots[arm].live, self._slots[arm].position = False, None
        return stale

    def _refuse(self, arm: str, reason: str) -> str:
        slot = self._slots[arm]
        slot.refused, slot.position, slot.live = True, None, False
        self.refused += 1
        return reason
