"""How long a verdict took from the last picture that it needed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that a camera published: when it was sent and when it was exposed, in ns."""

    sent_ns: int
    exposed_ns: int


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict.

    :param sent_ns: when it was published.
    :param settled_ns: the arm had let go; only pictures exposed from then on count.
    :param needed: pictures of each camera that it rests on.
    """

    sent_ns: int
    settled_ns: int
    needed: int


def latencies(
    decisions: Iterable[Decision], pictures: Mapping[str, Sequence[Picture]]
) -> list[float]:
    """Return for each decision the s between its last needed picture's sending and its own.

    So the way of the picture to the judge is in it, and the way of the verdict out of its process.
    A decision that did not have the pictures it needed (it was made at its deadline) is left out.

    :param pictures: of each camera, in the order of sending.
    """
    result = []
    for decision in decisions:
        last = [_last_needed(seen, decision) for seen in pictures.values()]
        if last and decision.needed > 0 and None not in last and max(last) <= decision.sent_ns:
            result.append((decision.sent_ns - max(last)) * 1e-9)
    return result


def _last_needed(pictures: Sequence[Picture], decision: Decision) -> int | None:
    fresh = [picture.sent_ns for picture in pictures if picture.exposed_ns >= decision.settled_ns]
    return fresh[decision.needed - 1] if len(fresh) >= decision.needed else None
