"""``metadata.yaml`` as rosbag2 of ROS 2 Jazzy writes it (version 9), from plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

#: Version of the layout; the newest that rosbag2 0.26 (Jazzy) knows.
VERSION = 9

#: Name of the file in a bag's directory.
FILE_NAME = 'metadata.yaml'

# libyaml's reader and writer are ten times as fast; a bag is closed between two trials.
_LOADER = getattr(yaml, 'CSafeLoader', yaml.SafeLoader)
_DUMPER = getattr(yaml, 'CSafeDumper', yaml.SafeDumper)

_INFINITE_NS = 2**63 - 1
# What rosbag2 writes for a bag without a message.
_NO_START_NS = 2**63 - 1


@dataclass(frozen=True, slots=True)
class OfferedQos:
    """What the publishers of a topic offer, with rmw's names for the policies.

    :param deadline_ns: ns, like the other spans; 2**63 - 1 means infinite.
    """

    reliability: str = 'reliable'
    durability: str = 'volatile'
    history: str = 'unknown'
    depth: int = 0
    deadline_ns: int = _INFINITE_NS
    lifespan_ns: int = _INFINITE_NS
    liveliness: str = 'automatic'
    liveliness_lease_ns: int = _INFINITE_NS

    def document(self) -> dict[str, Any]:
        """Return what rosbag2 decodes."""
        return {
            'history': self.history,
            'depth': self.depth,
            'reliability': self.reliability,
            'durability': self.durability,
            'deadline': _span(self.deadline_ns),
            'lifespan': _span(self.lifespan_ns),
            'liveliness': self.liveliness,
            'liveliness_lease_duration': _span(self.liveliness_lease_ns),
            'avoid_ros_namespace_conventions': False,
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> OfferedQos:
        """Return the profile that :meth:`document` described."""
        return cls(
            reliability=document['reliability'],
            durability=document['durability'],
            history=document['history'],
            depth=document['depth'],
            deadline_ns=_nanoseconds(document['deadline']),
            lifespan_ns=_nanoseconds(document['lifespan']),
            liveliness=document['liveliness'],
            liveliness_lease_ns=_nanoseconds(document['liveliness_lease_duration']),
        )


@dataclass(frozen=True, slots=True)
class TopicSummary:
    """A topic of a bag and how many messages of it there are."""

    name: str
    type: str
    type_hash: str
    qos: tuple[OfferedQos, ...]
    messages: int


def dump_qos(profiles: Sequence[OfferedQos]) -> str:
    """Return the profiles as a channel of an MCAP file carries them."""
    return _dumped([profile.document() for profile in profiles])


def bag_document(
    *,
    file_name: str,
    start_ns: int,
    end_ns: int,
    topics: Sequence[TopicSummary],
    custom_data: Mapping[str, str],
    ros_distro: str,
) -> dict[str, Any]:
    """Return the description of a bag of one MCAP file.

    :param start_ns: log time of the first message, ``end_ns`` of the last one.
    :param custom_data: free text, shown by ``ros2 bag info``.
    """
    messages = sum(topic.messages for topic in topics)
    start = {'nanoseconds_since_epoch': start_ns if messages else _NO_START_NS}
    duration = {'nanoseconds': end_ns - start_ns if messages else 0}
    return {
        'version': VERSION,
        'storage_identifier': 'mcap',
        'duration': duration,
        'starting_time': start,
        'message_count': messages,
        'topics_with_message_count': [_topic(topic) for topic in topics],
        'compression_format': '',
        'compression_mode': '',
        'relative_file_paths': [file_name],
        'files': [
            {
                'path': file_name,
                'starting_time': dict(start),
                'duration': dict(duration),
                'message_count': messages,
            }
        ],
        'custom_data': dict(custom_data),
        'ros_distro': ros_distro,
    }


def dump(document: Mapping[str, Any]) -> str:
    """Return the text of ``metadata.yaml``."""
    return _dumped({'rosbag2_bagfile_information': document})


def load(text: str) -> dict[str, Any]:
    """Return the document that :func:`dump` wrote.

    :raises yaml.YAMLError: this is no YAML; KeyError or TypeError when it is not of a bag.
    """
    return yaml.load(text, _LOADER)['rosbag2_bagfile_information']


def dump_bare(document: Mapping[str, Any]) -> str:
    """Return the text of the metadata record within the MCAP file, which has no top key."""
    return _dumped(dict(document))


def _dumped(content: Any) -> str:
    return yaml.dump(content, Dumper=_DUMPER, sort_keys=False)


def _topic(topic: TopicSummary) -> dict[str, Any]:
    return {
        'topic_metadata': {
            'name': topic.name,
            'type': topic.type,
            'serialization_format': 'cdr',
            'offered_qos_profiles': [profile.document() for profile in topic.qos],
            'type_description_hash': topic.type_hash,
        },
        'message_count': topic.messages,
    }


def _span(nanoseconds: int) -> dict[str, int]:
    return {'sec': nanoseconds // 10**9, 'nsec': nanoseconds % 10**9}


def _nanoseconds(span: Mapping[str, int]) -> int:
    return span['sec'] * 10**9 + span['nsec']
