"""How many messages a bag lacks, by what the messages themselves say of their order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from rosbags.highlevel import AnyReader
from rosbags.typesys import get_types_from_msg, get_typestore, Stores
from rosbags.typesys.store import Typestore

import enpire_msgs

_HEARTBEAT = 'enpire_msgs/msg/Heartbeat'
#: Suffixes of topics that carry one message a control period when the pace is lockstep.
_EVERY_PERIOD = ('/tcp_pose', '/wrench', '/gripper/state')
_CAMERA = '/image_raw/compressed'


def lost_messages(
    bag: Path, *, lockstep: bool, control_rate: float = 30.0, camera_rate: float = 10.0
) -> dict[str, int]:
    """Count the gaps in a bag, by topic; topics without a gap are there too.

    Heartbeats carry a sequence number at any pace. In lockstep every stamp of an arm's state and
    of a picture is a whole number of periods, so that a missing one shows.

    :param bag: its directory.
    """
    sequences: dict[tuple[str, int], list[int]] = {}
    stamps: dict[str, list[int]] = {}
    heartbeats = 0
    with AnyReader([bag], default_typestore=_typestore()) as reader:
        wanted = [
            item
            for item in reader.connections
            if item.msgtype == _HEARTBEAT
            or (lockstep and item.topic.endswith((*_EVERY_PERIOD, _CAMERA)))
        ]
        for connection, _, raw in reader.messages(connections=wanted):
            message = reader.deserialize(raw, connection.msgtype)
            if connection.msgtype == _HEARTBEAT:
                key = (message.node, message.incarnation)
                sequences.setdefault(key, []).append(int(message.sequence))
                heartbeats += 1
            else:
                stamp = message.header.stamp
                nanoseconds = stamp.sec * 10**9 + stamp.nanosec
                stamps.setdefault(connection.topic, []).append(nanoseconds)
    lost = {topic: _missing(seen, _period(topic, control_rate, camera_rate))
            for topic, seen in stamps.items()}  # fmt: skip
    if heartbeats:
        lost['heartbeats'] = sum(_missing(seen, 1.0) for seen in sequences.values())
    return lost


def add_up(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Add the losses of several bags, by topic."""
    total: dict[str, int] = {}
    for count in counts:
        for topic, lost in count.items():
            total[topic] = total.get(topic, 0) + lost
    return total


def _period(topic: str, control_rate: float, camera_rate: float) -> float:
    return 1e9 / (camera_rate if topic.endswith(_CAMERA) else control_rate)


def _missing(seen: list[int], period: float) -> int:
    unique = sorted(set(seen))
    if len(unique) < 2:
        return 0
    return round((unique[-1] - unique[0]) / period) + 1 - len(unique)


def _typestore() -> Typestore:
    store = get_typestore(Stores.ROS2_JAZZY)
    share = next(
        path / 'share' / 'enpire_msgs' / 'msg'
        for path in Path(enpire_msgs.__file__).resolve().parents
        if (path / 'share' / 'enpire_msgs').is_dir()
    )
    text = (share / 'Heartbeat.msg').read_text()
    store.register(get_types_from_msg(text, _HEARTBEAT))
    return store
