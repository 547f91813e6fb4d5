"""Which messages are missing in a bag."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
import math
from pathlib import Path

from enpire_nodes.benchmark.witness import fingerprint, Watched
from enpire_nodes.rollout.recording.check import bag_file
from enpire_nodes.rollout.recording.scan import messages, Scan

#: First and last instant of a trial's work, ns.
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class TopicLoss:
    """What a bag has of a topic.

    :param expected: messages that were sent during the trial's work.
    :param lost: those of them that it lacks.
    """

    topic: str
    expected: int
    lost: int


def bag_messages(bag: Path) -> dict[str, list[tuple[int, int]]]:
    """Return checksum and header stamp (ns) of each message of each topic, in file order.

    :raises StationError: RECORDER_BAG_UNREADABLE.
    """
    scan = Scan()
    found: dict[int, list[tuple[int, int]]] = {}
    for message in messages(bag_file(bag), scan):
        data = message.data
        stamp = int.from_bytes(data[4:8], 'little') * 10**9 + int.from_bytes(data[8:12], 'little')
        found.setdefault(message.channel, []).append((fingerprint(data), stamp))
    return {
        scan.channels[channel].topic: entries
        for channel, entries in found.items()
        if channel in scan.channels
    }


def against_witness(
    bag: Mapping[str, Sequence[tuple[int, int]]], topics: Iterable[Watched], span: Span
) -> list[TopicLoss]:
    """Hold a bag against what a witness saw.

    :param bag: as :func:`bag_messages` returns it.
    :param span: messages sent within it (system's clock) are expected.
    """
    result = []
    for watched in topics:
        within = [seen for seen in watched.sightings if span[0] <= seen.sent_ns <= span[1]]
        sent = Counter(seen.digest for seen in within)
        held = Counter(digest for digest, _ in bag.get(watched.name, ()))
        result.append(TopicLoss(watched.name, len(within), (sent - held).total()))
    return result


def against_stamps(
    bag: Mapping[str, Sequence[tuple[int, int]]],
    names: Collection[str],
    span: Span,
    period_ns: float,
) -> list[TopicLoss]:
    """Hold a bag against the rhythm of a station in lockstep, where every period has its stamp.

    :param names: topics that have one message a period.
    :param span: periods whose stamps lie within it are expected.
    """
    stamps = {name: {stamp for _, stamp in bag.get(name, ())} for name in names}
    everything = set().union(*stamps.values()) if stamps else set()
    if not everything:
        return [TopicLoss(name, 0, 0) for name in sorted(names)]
    anchor = min(everything)
    first = math.ceil((span[0] - anchor) / period_ns)
    last = math.floor((span[1] - anchor) / period_ns)
    expected = range(first, last + 1)
    result = []
    for name in sorted(stamps):
        held = {round((stamp - anchor) / period_ns) for stamp in stamps[name]}
        lost = sum(number not in held for number in expected)
        result.append(TopicLoss(name, len(expected), lost))
    return result


def total(losses: Iterable[Iterable[TopicLoss]]) -> list[TopicLoss]:
    """Add the losses of several bags, topic by topic."""
    expected: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    for bag in losses:
        for entry in bag:
            expected[entry.topic] += entry.expected
            lost[entry.topic] += entry.lost
    return [TopicLoss(name, expected[name], lost[name]) for name in sorted(expected)]
