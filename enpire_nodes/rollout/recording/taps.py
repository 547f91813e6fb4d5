"""Subscriptions to whatever a station publishes, handed on as the bytes that came in."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from importlib import import_module
import time

from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.subscription import Subscription
from rclpy.topic_endpoint_info import TopicEndpointInfo

from enpire_nodes.rollout.recording.metadata import OfferedQos
from enpire_nodes.rollout.recording.patterns import absolute, matches, matching
from enpire_nodes.rollout.recording.session import Topic

# Seconds of every topic that may wait while the process is not scheduled.
_DEPTH = 200


@dataclass(slots=True)
class Tap:
    """One subscription.

    :param latched: its publishers repeat the last message to whoever comes late.
    :param last: the newest message; None before the first one.
    :param last_at: when it came, s of the monotonic clock.
    :param received: messages since the subscription.
    :param lost: that the middleware gave up on; it knows of reliable publishers' messages alone.
    """

    topic: Topic
    latched: bool
    last: bytes | None = None
    last_at: float = 0.0
    received: int = 0
    lost: int = 0
    subscription: Subscription | None = field(default=None, repr=False)


class Taps:
    """Subscribes to every published topic that fits one of ``patterns``.

    :param receive: called with the tap and the message's CDR bytes.
    """

    def __init__(
        self, node: Node, patterns: Iterable[str], receive: Callable[[Tap, bytes], None]
    ) -> None:
        self._node = node
        self._patterns = [absolute(pattern, node.get_namespace()) for pattern in patterns]
        self._receive = receive
        self._unusable: set[str] = set()
        self.taps: dict[str, Tap] = {}

    def refresh(self) -> list[Tap]:
        """Look who publishes now; return the taps that are new."""
        new = []
        for name, _ in self._node.get_topic_names_and_types():
            if name in self._unusable or not any(matches(p, name) for p in self._patterns):
                continue
            publishers = self._node.get_publishers_info_by_topic(name)
            if publishers and (tap := self._tap(name, publishers)) is not None:
                new.append(tap)
        return new

    def matching(self, pattern: str) -> list[str]:
        """Return the names of the taps that fit a pattern, which may be relative."""
        return matching(absolute(pattern, self._node.get_namespace()), self.taps)

    def close(self) -> None:
        """End all subscriptions."""
        for tap in self.taps.values():
            self._node.destroy_subscription(tap.subscription)
        self.taps.clear()

    def _tap(self, name: str, publishers: list[TopicEndpointInfo]) -> Tap | None:
        topic = Topic(name, publishers[0].topic_type, tuple(offered(item) for item in publishers))
        profile = adapted(publishers)
        latched = profile.durability == DurabilityPolicy.TRANSIENT_LOCAL
        known = self.taps.get(name)
        if known is not None:
            known.topic = replace(known.topic, qos=topic.qos)
            if _receives_from(known, profile):
                return None
            self._node.destroy_subscription(known.subscription)
        tap = known or Tap(topic, latched)
        tap.latched = latched
        try:
            message_type = _import(topic.type)
        except (ImportError, AttributeError, ValueError) as error:
            self._unusable.add(name)
            self._node.get_logger().warning(
                f'{name} is not recorded: its type {topic.type} is not installed ({error})'
            )
            return None
        tap.subscription = self._subscribe(tap, message_type, profile)
        self.taps[name] = tap
        return None if known else tap

    def _subscribe(self, tap: Tap, message_type: type, profile: QoSProfile) -> Subscription:
        receive = self._receive

        def on_message(data: bytes) -> None:
            tap.received += 1
            tap.last, tap.last_at = data, time.monotonic()
            receive(tap, data)

        before = tap.lost

        def on_lost(event: object) -> None:
            # Fast DDS of Jazzy fills in the total rightly, and the change since the last event not
            tap.lost = before + event.total_count

        return self._node.create_subscription(
            message_type,
            tap.topic.name,
            on_message,
            profile,
            raw=True,
            event_callbacks=SubscriptionEventCallbacks(message_lost=on_lost),
        )


def adapted(publishers: Iterable[TopicEndpointInfo]) -> QoSProfile:
    """Return the strictest profile that hears every publisher."""
    profiles = [item.qos_profile for item in publishers]
    reliable = all(p.reliability == ReliabilityPolicy.RELIABLE for p in profiles)
    latched = all(p.durability == DurabilityPolicy.TRANSIENT_LOCAL for p in profiles)
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=_DEPTH,
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
    )


def offered(publisher: TopicEndpointInfo) -> OfferedQos:
    """Return what a publisher offers, in the words that rosbag2 writes."""
    profile = publisher.qos_profile
    return OfferedQos(
        reliability=profile.reliability.short_key,
        durability=profile.durability.short_key,
        history=profile.history.short_key,
        depth=profile.depth,
        deadline_ns=profile.deadline.nanoseconds,
        lifespan_ns=profile.lifespan.nanoseconds,
        liveliness=profile.liveliness.short_key,
        liveliness_lease_ns=profile.liveliness_lease_duration.nanoseconds,
    )


def _receives_from(tap: Tap, profile: QoSProfile) -> bool:
    """Whether the subscription there is already hears publishers that ``profile`` fits."""
    mine = tap.subscription.qos_profile
    return mine.reliability == profile.reliability and mine.durability == profile.durability


def _import(message_type: str) -> type:
    package, kind, name = message_type.split('/')
    return getattr(import_module(f'{package}.{kind}'), name)
