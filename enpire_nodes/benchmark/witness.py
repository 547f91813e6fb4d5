"""An independent witness of a station's topics: what was published, when, and in which order.

Every message carries the instant at which its publisher sent it and its number among those of its
publisher, both put there by the middleware. Messages are taken in batches, without an executor, so
that watching costs the machine little and disturbs no instant.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from importlib import import_module
import itertools
import struct
import threading
import time
import zlib

import rclpy
from rclpy.context import Context
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.subscription import Subscription

_BATCH = 0.05  # s between two looks at what has come
_DISCOVER = 1.0  # s between two looks for new topics
_DEPTH = 2000  # messages of a topic that may wait for us
_STAMP = struct.Struct('<4xiI')  # CDR of a message that begins with a stamp


@dataclass(frozen=True, slots=True)
class Sighting:
    """One message.

    :param sent_ns: when its publisher sent it, ns of the system's clock.
    :param sequence: its number among those of its publisher, from 1; 0 when unknown.
    :param digest: its :func:`fingerprint`; the same message in a bag has the same.
    :param stamp_ns: ns, of its header; meaningless for messages without one.
    :param data: its CDR bytes, for topics of which they are kept.
    """

    sent_ns: int
    sequence: int
    digest: int
    stamp_ns: int
    data: bytes = b''


@dataclass(slots=True)
class Watched:
    """What was seen of one topic.

    :param publishers: how many there were at most.
    :param latched: its last message is repeated to whoever comes late.
    """

    name: str
    publishers: int
    latched: bool
    sightings: list[Sighting] = field(default_factory=list)

    @property
    def overlooked(self) -> int:
        """Messages of its only publisher that the witness itself did not get."""
        if self.publishers != 1 or not self.sightings:
            return 0
        numbers = [seen.sequence for seen in self.sightings if seen.sequence]
        if not numbers or any(a >= b for a, b in itertools.pairwise(numbers)):
            return 0  # unnumbered, or a publisher that was started again
        return numbers[-1] - numbers[0] + 1 - len(numbers)


class Witness:
    """Watches topics of one station in a thread of its own, until :meth:`close`.

    :param wanted: tells by its full name whether a topic is watched.
    :param keep: full names of the topics whose messages are kept whole.
    """

    def __init__(
        self,
        namespace: str,
        *,
        wanted: Callable[[str], bool],
        keep: Collection[str] = (),
    ) -> None:
        self.topics: dict[str, Watched] = {}
        self._wanted, self._keep = wanted, frozenset(keep)
        self._subscriptions: dict[str, tuple[Subscription, type]] = {}
        self._context = Context()
        rclpy.init(context=self._context, args=[])
        self._node = rclpy.create_node(
            'bench_witness', namespace=namespace, context=self._context,
            use_global_arguments=False, enable_rosout=False, start_parameter_services=False,
        )  # fmt: skip
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name='witness', daemon=True)
        self._thread.start()

    def sightings(self, name: str) -> list[Sighting]:
        """Return what was seen of a topic so far, in the order of sending."""
        watched = self.topics.get(name)
        found = list(watched.sightings) if watched else []
        return sorted(found, key=lambda seen: seen.sent_ns)

    def close(self) -> None:
        """Take what is still waiting, and leave the graph. May be repeated."""
        if self._stop.is_set():
            return
        self._stop.set()
        self._thread.join(5.0)
        self._take()
        self._node.destroy_node()
        rclpy.try_shutdown(context=self._context)

    def _watch(self) -> None:
        due = 0.0
        while not self._stop.wait(_BATCH):
            if time.monotonic() >= due:
                self._discover()
                due = time.monotonic() + _DISCOVER
            self._take()

    def _discover(self) -> None:
        for name, kinds in self._node.get_topic_names_and_types():
            if not self._wanted(name):
                continue
            publishers = self._node.get_publishers_info_by_topic(name)
            if not publishers:
                continue
            if name in self.topics:
                known = self.topics[name]
                known.publishers = max(known.publishers, len(publishers))
                continue
            profiles = [item.qos_profile for item in publishers]
            reliable = all(p.reliability == ReliabilityPolicy.RELIABLE for p in profiles)
            latched = all(p.durability == DurabilityPolicy.TRANSIENT_LOCAL for p in profiles)
            self.topics[name] = Watched(name, len(publishers), latched)
            kind = _message_type(kinds[0])
            profile = QoSProfile(
                history=HistoryPolicy.KEEP_LAST,
                depth=_DEPTH,
                reliability=(
                    ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT
                ),
            )
            self._subscriptions[name] = (
                self._node.create_subscription(
                    kind, name, lambda message: None, profile, raw=True
                ),
                kind,
            )

    def _take(self) -> None:
        for name, (subscription, kind) in list(self._subscriptions.items()):
            found, keep = self.topics[name].sightings, name in self._keep
            with subscription.handle:
                while (taken := subscription.handle.take_message(kind, True)) is not None:
                    found.append(_sighting(*taken, keep=keep))


def fingerprint(data: bytes | memoryview) -> int:
    """Return a checksum of a message's CDR bytes that is the same for every receiver.

    The middleware may say in the first four bytes how it padded the end, and pads it for receivers
    in other processes only.
    """
    return zlib.crc32(bytes(data[4:]).rstrip(b'\0'))


def _sighting(data: bytes, info: dict, *, keep: bool) -> Sighting:
    seconds, nanoseconds = _STAMP.unpack_from(data) if len(data) >= _STAMP.size else (0, 0)
    return Sighting(
        sent_ns=info['source_timestamp'],
        sequence=info.get('publication_sequence_number') or 0,
        digest=fingerprint(data),
        stamp_ns=seconds * 1_000_000_000 + nanoseconds,
        data=bytes(data) if keep else b'',
    )


def _message_type(name: str) -> type:
    package, kind, message = name.split('/')
    return getattr(import_module(f'{package}.{kind}'), message)
