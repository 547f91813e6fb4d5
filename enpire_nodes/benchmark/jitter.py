"""How well the policy executor keeps its control period, from the commands that it sent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
import itertools


@dataclass(frozen=True, slots=True)
class Lease:
    """A span in which one node commanded the arms; ns of the system's clock."""

    holder: str
    start_ns: int
    end_ns: int


def leases(events: Iterable[tuple[int, str, int, bool]]) -> list[Lease]:
    """Pair what was said on ``command/lease``.

    :param events: when it was said (ns), holder, number of the lease, and whether it was taken.
    :return: the leases that were both taken and given back, in the order of their ends.
    """
    taken: dict[tuple[str, int], int] = {}
    found = []
    for instant, holder, number, engaged in sorted(events):
        if engaged:
            taken.setdefault((holder, number), instant)
        elif (holder, number) in taken:
            found.append(Lease(holder, taken.pop((holder, number)), instant))
    return found


def deviations(sent_ns: Sequence[int], spans: Iterable[Lease], period: float) -> list[float]:
    """Return by how many s each control period differed from its nominal length.

    Periods are counted from command to command within one lease: between two of them nobody was
    asked to command.

    :param sent_ns: when commands were sent, in order.
    :param spans: the leases of one holder.
    :param period: s.
    """
    result = []
    for span in spans:
        within = [instant for instant in sent_ns if span.start_ns <= instant <= span.end_ns]
        result += [
            abs((after - before) * 1e-9 - period) for before, after in itertools.pairwise(within)
        ]
    return result
