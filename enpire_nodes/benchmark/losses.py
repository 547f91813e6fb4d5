"""Which messages are missing in a bag."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from enpire_nodes.benchmark.witness import fingerprint, Watched
from enpire_nodes.rollout.recording.check import bag_file
from enpire_nodes.rollout.recording.scan import messages, Scan

#: ns at both ends of a bag in which a message may be on its way while it is opened or closed.
EDGE_NS = 100_000_000


@dataclass(frozen=True, slots=True)
class TopicLoss:
    """What a bag has of a topic.

    :param expected: messages that were sent while the bag was open.
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
    bag: Mapping[str, Sequence[tuple[int, int]]],
    topics: Iterable[Watched],
    *,
    steady: Collection[str],
) -> list[TopicLoss]:
    """Hold a bag against what a witness saw.

    Counted is what was sent while most of the steady topics came in, less :data:`EDGE_NS` at both
    ends: a topic that began late or ended early shows, and one whose messages had waited since
    before does not move the beginning.

    :param bag: as :func:`bag_messages` returns it.
    :param steady: names of topics that are published all the time.
    """
    topics = list(topics)
    span = _span(bag, [topic for topic in topics if topic.name in steady])
    if span is None:
        return []
    result = []
    for watched in topics:
        within = [seen for seen in watched.sightings if span[0] <= seen.sent_ns <= span[1]]
        sent = Counter(seen.digest for seen in within)
        held = Counter(digest for digest, _ in bag.get(watched.name, ()))
        lost = (sent - held).total() if sent else 0
        result.append(TopicLoss(watched.name, len(within), lost))
    return result


def against_stamps(
    bag: Mapping[str, Sequence[tuple[int, int]]], names: Collection[str], period_ns: float
) -> list[TopicLoss]:
    """Hold a bag against the rhythm of a station in lockstep, where every period has its stamp.

    Each topic must have every stamp between the first and the last one that any of them has; one
    period at both ends is left out.

    :param names: topics that have one message a period.
    """
    stamps = {name: {stamp for _, stamp in bag.get(name, ())} for name in names}
    everything = sorted(set().union(*stamps.values())) if stamps else []
    if len(everything) < 3:
        return []
    first, last = everything[0], everything[-1]
    periods = round((last - first) / period_ns)
    expected = [first + number * period_ns for number in range(1, periods)]
    result = []
    for name in sorted(stamps):
        numbers = {round((stamp - first) / period_ns) for stamp in stamps[name]}
        lost = sum(number not in numbers for number in range(1, periods))
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


def _span(
    bag: Mapping[str, Sequence[tuple[int, int]]], topics: Iterable[Watched]
) -> tuple[int, int] | None:
    first, last = [], []
    for watched in topics:
        held = {digest for digest, _ in bag.get(watched.name, ())}
        instants = [seen.sent_ns for seen in watched.sightings if seen.digest in held]
        if instants:
            first.append(min(instants))
            last.append(max(instants))
    if not first:
        return None
    return int(median(first)) + EDGE_NS, int(median(last)) - EDGE_NS
