"""Which partners of a station are there, from their heartbeats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum


class Condition(IntEnum):
    """What a heartbeat says, as in ``enpire_msgs/Heartbeat``."""

    UNSET = 0
    INACTIVE = 1
    ACTIVE = 2
    BUSY = 3
    FAULTED = 4


@dataclass(frozen=True, slots=True)
class Sign:
    """The newest heartbeat of a node; ``arrival`` in s of the monotonic clock."""

    incarnation: int
    condition: Condition
    message: str
    arrival: float


class Presence:
    """The partners, and since when each has been silent.

    Every ``now`` is s of the monotonic wall clock. Not thread-safe.

    :param partners: full names of the nodes that a trial needs.
    :param lost_after: s without a heartbeat after which a node counts as lost.
    """

    def __init__(self, partners: Sequence[str], *, lost_after: float) -> None:
        self.partners = tuple(partners)
        self._lost_after = lost_after
        self._signs: dict[str, Sign] = {}

    def beat(
        self, node: str, *, incarnation: int, condition: int, message: str, now: float
    ) -> bool:
        """Take a heartbeat; tell whether it is a partner's and says anything new."""
        if node not in self.partners:
            return False
        try:
            known = Condition(condition)
        except ValueError:
            known = Condition.UNSET
        last, self._signs[node] = self._signs.get(node), Sign(incarnation, known, message, now)
        return last is None or (last.incarnation, last.condition) != (incarnation, known)

    def forgive(self, now: float) -> None:
        """Take every known node for just heard: we were deaf, not they silent."""
        self._signs = {
            name: Sign(sign.incarnation, sign.condition, sign.message, now)
            for name, sign in self._signs.items()
        }

    def roster(self) -> Mapping[str, int]:
        """Return the incarnation of every partner that has been heard."""
        return {name: sign.incarnation for name, sign in self._signs.items()}

    def busy(self) -> list[str]:
        """Return the partners that are working on a goal."""
        return [name for name, sign in self._signs.items() if sign.condition is Condition.BUSY]

    def idle_since(self, node: str, instant: float) -> bool:
        """Whether a heartbeat that came after ``instant`` says that a node works on no goal."""
        sign = self._signs.get(node)
        return sign is not None and sign.arrival > instant and sign.condition != Condition.BUSY

    def is_lost(self, node: str, now: float) -> bool:
        """Whether a node that was heard has fallen silent, or was never heard."""
        sign = self._signs.get(node)
        return sign is None or now - sign.arrival > self._lost_after

    def troubles(self, now: float) -> dict[str, str]:
        """Return what keeps each partner from working, in words; empty when all are ready."""
        found = {name: self._trouble(name, now) for name in self.partners}
        return {name: words for name, words in found.items() if words}

    def broken(self, now: float) -> bool:
        """Whether a partner that was there is lost or says that it cannot work."""
        return any(
            now - sign.arrival > self._lost_after or sign.condition is Condition.FAULTED
            for sign in self._signs.values()
        )

    def lost(self, roster: Mapping[str, int], now: float) -> str:
        """Return in words which partner is not what it was; empty when all are.

        :param roster: as it was when the trial began.
        """
        for name in self.partners:
            sign = self._signs.get(name)
            if sign is not None and sign.incarnation != roster.get(name):
                return f'{name} was restarted'
            words = self._trouble(name, now)
            if words:
                return f'{name} {words}'
        return ''

    def _trouble(self, name: str, now: float) -> str:
        sign = self._signs.get(name)
        if sign is None:
            return 'was never heard; is it started?'
        age = now - sign.arrival
        if age > self._lost_after:
            return f'has been silent for {age:.1f} s'
        if sign.condition in (Condition.ACTIVE, Condition.BUSY):
            return ''
        words = f'is {sign.condition.name.lower()}'
        return f'{words}: {sign.message}' if sign.message else words
