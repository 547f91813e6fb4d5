"""Who may move the arms: the rules of ``enpire_msgs/MotionLease``, with an injected clock.

Times are wall seconds of a monotonic clock. A holder keeps its lease as long as its heartbeat goes
on under one incarnation and every leased arm is fed with commands.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
import math

from enpire_nodes.common.errors import ErrorCode, StationError


@dataclass(frozen=True, slots=True)
class LeaseRequest:
    """A ``MotionLease`` message: ``holder`` takes (``engaged``) or returns lease ``number``."""

    holder: str
    number: int
    engaged: bool
    arms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Beat:
    """The newest heartbeat of a node, and when it arrived."""

    incarnation: int
    arrival: float


class Heartbeats:
    """The newest heartbeat of every node of the station."""

    def __init__(self) -> None:
        self._beats: dict[str, Beat] = {}

    def beat(self, node: str, incarnation: int, now: float) -> None:
        """Take a heartbeat that arrived at ``now``."""
        self._beats[node] = Beat(incarnation, now)

    def age(self, node: str, now: float) -> float:
        """Return the wall seconds since the node's last heartbeat; infinite if there is none."""
        beat = self._beats.get(node)
        return math.inf if beat is None else now - beat.arrival

    def incarnation(self, node: str) -> int | None:
        """Return the newest incarnation of a node; None if it was never heard of."""
        beat = self._beats.get(node)
        return None if beat is None else beat.incarnation


class LeaseKeeper:
    """Holds at most one lease.

    :param arms: of the station.
    :param heartbeats: of the station's nodes.
    :param heartbeat_timeout: s, a holder whose heartbeat is older loses the lease.
    """

    def __init__(
        self, arms: Iterable[str], heartbeats: Heartbeats, *, heartbeat_timeout: float
    ) -> None:
        self._known = tuple(arms)
        self._heartbeats = heartbeats
        self._heartbeat_timeout = heartbeat_timeout
        self._incarnation: int | None = None
        self._spent: int | None = None
        self._fed: dict[str, float] = {}
        self.current: LeaseRequest | None = None

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms that are leased now."""
        return () if self.current is None else self.current.arms

    def engage(self, request: LeaseRequest, now: float) -> None:
        """Give the lease away.

        :raises StationError: it is refused; whoever holds it keeps it.
        """
        held = self.current
        if held is not None and request == held:
            return
        if held is not None and held.holder != request.holder:
            raise StationError(
                ErrorCode.GATE_LEASE_CONFLICT,
                f'{request.holder} asked for the lease that {held.holder} has; wait until it '
                'is returned',
            )
        self._check(request, now)
        self.current = request
        self._incarnation = self._heartbeats.incarnation(request.holder)
        self._fed = dict.fromkeys(request.arms, now)

    def release(self, request: LeaseRequest) -> bool:
        """Take the lease back if the request names it; say whether it did."""
        held = self.current
        if held is None or (held.holder, held.number) != (request.holder, request.number):
            return False
        self.drop()
        return True

    def drop(self) -> None:
        """End the lease; its number cannot be engaged again."""
        if self.current is not None:
            self._spent = self.current.number
        self.current = None

    def feed(self, arm: str, now: float) -> None:
        """Note that a leased arm got a command that could be forwarded."""
        self._fed[arm] = now

    def silence(self, now: float) -> float:
        """Return the wall seconds since the most neglected leased arm got a command."""
        return max((now - self._fed[arm] for arm in self.arms), default=0.0)

    def lost(self, now: float) -> StationError | None:
        """Return why the holder cannot keep the lease, judged by its heartbeat alone."""
        if self.current is None:
            return None
        holder = self.current.holder
        if self._heartbeats.incarnation(holder) != self._incarnation:
            return StationError(
                ErrorCode.GATE_COMMAND_STALE,
                f'{holder} died and came back while it had the lease; it must take a new one',
            )
        age = self._heartbeats.age(holder, now)
        if age > self._heartbeat_timeout:
            return StationError(
                ErrorCode.GATE_COMMAND_STALE,
                f'{holder} has the lease and no heartbeat for {age:.2f} s; see whether it runs',
            )
        return None

    def _check(self, request: LeaseRequest, now: float) -> None:
        def refuse(cause: str) -> StationError:
            return StationError(ErrorCode.GATE_NO_LEASE, f'lease refused: {cause}')

        if not request.holder:
            raise refuse('it names no holder')
        if request.number == 0 or request.number == self._spent:
            raise refuse(f'{request.holder} must draw a new number for each engagement')
        if not request.arms or len(set(request.arms)) != len(request.arms):
            raise refuse(f'{request.holder} must name each arm that it will command, once')
        if unknown := set(request.arms) - set(self._known):
            raise refuse(f'no limits exist for {sorted(unknown)}; known are {list(self._known)}')
        age = self._heartbeats.age(request.holder, now)
        if age > self._heartbeat_timeout:
            raise refuse(f'{request.holder} sends no heartbeat; a commander must')
