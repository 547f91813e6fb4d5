"""Whether a closed bag holds what it should, found by opening it again."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
import hashlib
from pathlib import Path

import yaml

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.recording import metadata
from enpire_nodes.rollout.recording.scan import count, Scan


@dataclass(frozen=True, slots=True)
class BagReport:
    """What a whole bag holds.

    :param counts: messages of each topic, counted in the file.
    :param types: message type of each topic.
    :param size: bytes of the MCAP file.
    :param digest: sha256 in hex of the MCAP file.
    """

    counts: Mapping[str, int]
    types: Mapping[str, str]
    size: int
    digest: str

    @property
    def messages(self) -> int:
        """Messages of all topics."""
        return sum(self.counts.values())

    def silent(self, required: Collection[str]) -> list[str]:
        """Return those of the required topics that have no message, sorted."""
        return sorted(name for name in required if not self.counts.get(name))


def bag_file(directory: Path) -> Path:
    """Return the MCAP file of a bag.

    :raises StationError: RECORDER_BAG_UNREADABLE, there is none, or there are several.
    """
    files = sorted(directory.glob('*.mcap')) if directory.is_dir() else []
    if len(files) != 1:
        found = f'{len(files)} MCAP files' if files else 'no MCAP file'
        raise StationError(
            ErrorCode.RECORDER_BAG_UNREADABLE, f'{directory} is not a bag: {found} in it'
        )
    return files[0]


def check_bag(directory: Path) -> BagReport:
    """Read a closed bag to its end, and hold its ``metadata.yaml`` against what is there.

    :raises StationError: RECORDER_BAG_UNREADABLE, saying what is wrong.
    """
    path = bag_file(directory)
    scan = Scan()
    counts = count(path, scan)
    if not scan.complete:
        raise _unreadable(path, f'breaks off after {scan.size} bytes')
    if scan.damaged:
        raise _unreadable(path, f'has {scan.damaged} damaged chunks')
    if not scan.intact:
        raise _unreadable(path, 'has a wrong checksum')
    by_topic = {channel.topic: counts.get(channel.id, 0) for channel in scan.channels.values()}
    described = _described(directory)
    if described != by_topic:
        raise _unreadable(path, f'does not hold what {metadata.FILE_NAME} says')
    types = {
        channel.topic: scan.schemas[channel.schema_id].name for channel in scan.channels.values()
    }
    return BagReport(by_topic, types, path.stat().st_size, file_digest(path))


def file_digest(path: Path) -> str:
    """Return the sha256 of a file in hex."""
    digest = hashlib.sha256()
    with path.open('rb') as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _described(directory: Path) -> dict[str, int]:
    path = directory / metadata.FILE_NAME
    try:
        document = metadata.load(path.read_text())
        return {
            item['topic_metadata']['name']: item['message_count']
            for item in document['topics_with_message_count']
        }
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise _unreadable(path, f'is missing or broken ({error})') from error


def _unreadable(path: Path, reason: str) -> StationError:
    return StationError(
        ErrorCode.RECORDER_BAG_UNREADABLE, f'{path} {reason}; run `enpire recover`'
    )
