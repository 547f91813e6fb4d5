"""Making a readable bag of one whose writer was killed."""

from __future__ import annotations

from dataclasses import dataclass
import os
from pathlib import Path
import shutil

import yaml

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.writing import sync_directory
from enpire_nodes.rollout.recording import metadata
from enpire_nodes.rollout.recording.check import bag_file, BagReport, check_bag
from enpire_nodes.rollout.recording.definitions import Definition
from enpire_nodes.rollout.recording.metadata import OfferedQos
from enpire_nodes.rollout.recording.scan import messages, RawMessage, Scan
from enpire_nodes.rollout.recording.writer import (
    BagWriter,
    being_written,
    ORIGIN_RECORD,
    write_error,
)

#: What the file as it was found is called afterwards.
UNFINISHED = '.unfinished'


@dataclass(frozen=True, slots=True)
class Recovery:
    """What came of a recovery.

    :param changed: False when the bag was whole already.
    :param report: of the bag as it is now.
    :param lost_bytes: at the end of the file that made no whole record.
    :param damaged_chunks: skipped because their checksums are wrong.
    :param original: the file as it was found, kept; None when nothing changed.
    """

    changed: bool
    report: BagReport
    lost_bytes: int = 0
    damaged_chunks: int = 0
    original: Path | None = None


def is_unfinished(directory: Path) -> bool:
    """Whether a bag's directory shows that its writer did not close it."""
    return not (directory / metadata.FILE_NAME).is_file()


def recover_bag(directory: Path) -> Recovery:
    """Rewrite a bag from what can be read of it, with index and ``metadata.yaml``.

    The new file takes the old one's place in one step; the old one is kept beside it. Whatever
    stops this in the middle leaves the bag as it was found.

    :raises StationError: RECORDER_BAG_UNREADABLE, there is nothing to read; RECORDER_BUSY, it is
        being recorded; RECORDER_DISK_FULL or RECORDER_WRITE_FAILED, the new file could not be
        written.
    """
    path = bag_file(directory)
    if being_written(path):
        raise StationError(
            ErrorCode.RECORDER_BUSY, f'{path} is being recorded: stop that recording first'
        )
    try:
        return Recovery(False, check_bag(directory))
    except StationError as error:
        if error.code is not ErrorCode.RECORDER_BAG_UNREADABLE:
            raise
    # Its name gives the bag's file its name; it lies beside the bag to be on the same disk.
    workshop = directory.with_name(f'.{directory.name}.recovery')
    rebuilt = workshop / directory.name
    shutil.rmtree(workshop, ignore_errors=True)
    size = path.stat().st_size
    try:
        scan = _rewrite(path, rebuilt)
        original = path.with_name(path.name + UNFINISHED)
        if not original.exists():  # an earlier recovery may have been stopped right here
            os.link(path, original)
        bag_file(rebuilt).replace(path)
        (rebuilt / metadata.FILE_NAME).replace(directory / metadata.FILE_NAME)
        sync_directory(directory)
    except OSError as error:
        raise write_error(directory, error) from error
    finally:
        shutil.rmtree(workshop, ignore_errors=True)
    return Recovery(True, check_bag(directory), size - scan.size, scan.damaged, original)


def _rewrite(path: Path, directory: Path) -> Scan:
    scan = Scan()
    walk = messages(path, scan)
    first = next(walk, None)
    origin = {**scan.metadata.get(ORIGIN_RECORD, {}), 'recovered': 'true'}
    writer = BagWriter(directory, custom_data=origin)
    channels: dict[int, int] = {}

    def copy(message: RawMessage) -> None:
        if message.channel not in channels:
            channels[message.channel] = _announce(writer, scan, message.channel)
        writer.write(channels[message.channel], bytes(message.data), message.log_ns)

    try:
        if first is not None:
            copy(first)
        for message in walk:
            copy(message)
        writer.close()
    finally:
        writer.abandon()
    return scan


def _announce(writer: BagWriter, scan: Scan, channel_id: int) -> int:
    channel = scan.channels[channel_id]
    schema = scan.schemas[channel.schema_id]
    definition = Definition(
        schema.name, schema.data.decode(), channel.metadata.get('topic_type_hash', '')
    )
    profiles = yaml.safe_load(channel.metadata.get('offered_qos_profiles', '[]')) or []
    qos = tuple(OfferedQos.from_document(profile) for profile in profiles)
    return writer.add_topic(channel.topic, definition, qos)
