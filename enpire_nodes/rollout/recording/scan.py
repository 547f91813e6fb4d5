"""Reading an MCAP file from its start to wherever it ends, whole or not.

The ``mcap`` library reads whole files; this reads what there is of one, chunk by chunk, verifies
every checksum, and counts without decoding a message.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
import struct
from typing import BinaryIO
import zlib

import lz4.frame
from mcap.data_stream import ReadDataStream
from mcap.exceptions import EndOfFile
from mcap.opcode import Opcode
from mcap.records import Channel, Chunk, Metadata, Schema
import zstandard

from enpire_nodes.common.errors import ErrorCode, StationError

MAGIC = b'\x89MCAP0\r\n'
_RECORD = struct.Struct('<BQ')
_MESSAGE = struct.Struct('<HIQQ')
# No record of a bag of ours comes near; a larger length is a damaged one.
_LONGEST = 1 << 30


@dataclass(slots=True)
class Scan:
    """What a walk through a file has met so far.

    :param size: bytes up to the end of the last record that was whole.
    :param complete: the file ends as a closed one does.
    :param damaged: chunks that are there and fail their checksum or do not unpack.
    :param intact: False when the checksum of the data section or of the summary is wrong.
    """

    schemas: dict[int, Schema] = field(default_factory=dict)
    channels: dict[int, Channel] = field(default_factory=dict)
    metadata: dict[str, dict[str, str]] = field(default_factory=dict)
    size: int = 0
    complete: bool = False
    damaged: int = 0
    intact: bool = True


@dataclass(frozen=True, slots=True)
class RawMessage:
    """A message as it lies in the file; ``data`` is CDR."""

    channel: int
    log_ns: int
    data: memoryview


def messages(path: Path, scan: Scan) -> Iterator[RawMessage]:
    """Yield every message that can be read, in file order, and fill in ``scan`` on the way.

    A file that breaks off ends the walk quietly: ``scan.complete`` tells.

    :raises StationError: RECORDER_BAG_UNREADABLE, this is no MCAP file or cannot be opened.
    """
    for block in _blocks(path, scan):
        view = memoryview(block)
        for opcode, start, end in _records(block):
            if opcode == Opcode.MESSAGE:
                channel, _, log_ns, _ = _MESSAGE.unpack_from(block, start)
                yield RawMessage(channel, log_ns, view[start + _MESSAGE.size : end])
            else:
                _note(opcode, block[start:end], scan)


def count(path: Path, scan: Scan) -> dict[int, int]:
    """Return the number of messages of each channel, and fill in ``scan`` on the way.

    :raises StationError: RECORDER_BAG_UNREADABLE, this is no MCAP file or cannot be opened.
    """
    counts: Counter[int] = Counter()
    for block in _blocks(path, scan):
        found = []
        for opcode, start, end in _records(block):
            if opcode == Opcode.MESSAGE:
                found.append(block[start : start + 2])
            else:
                _note(opcode, block[start:end], scan)
        for channel, number in Counter(found).items():
            counts[int.from_bytes(channel, 'little')] += number
    return dict(counts)


def _blocks(path: Path, scan: Scan) -> Iterator[bytes]:
    """Yield runs of records: what each chunk holds, and messages that lie outside of chunks."""
    try:
        stream = path.open('rb')
    except OSError as error:
        raise StationError(
            ErrorCode.RECORDER_BAG_UNREADABLE, f'cannot open {path}: {error.strerror}'
        ) from error
    with stream:
        if stream.read(len(MAGIC)) != MAGIC:
            raise StationError(
                ErrorCode.RECORDER_BAG_UNREADABLE,
                f'{path} is not an MCAP file: it does not begin like one; nothing can be saved',
            )
        scan.size = len(MAGIC)
        checksum = zlib.crc32(MAGIC)
        while (record := _next_record(stream)) is not None:
            opcode, head, content = record
            scan.size = stream.tell()
            if opcode in (Opcode.DATA_END, Opcode.FOOTER):
                stored = int.from_bytes(content[-4:], 'little')
                if opcode == Opcode.FOOTER:
                    checksum = zlib.crc32(content[:-4], zlib.crc32(head, checksum))
                scan.intact &= stored in (0, checksum)
                checksum = 0
            else:
                checksum = zlib.crc32(content, zlib.crc32(head, checksum))
            if opcode == Opcode.FOOTER:
                scan.complete = stream.read() == MAGIC
                scan.size = stream.tell() if scan.complete else scan.size
                return
            if opcode == Opcode.CHUNK:
                data = _unpacked(content)
                if data is None:
                    scan.damaged += 1
                else:
                    yield data
            elif opcode == Opcode.MESSAGE:
                yield head + content
            else:
                try:
                    _note(opcode, content, scan)
                except (EndOfFile, UnicodeDecodeError, struct.error):
                    scan.intact = False


def _records(block: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield opcode, start and end of the content of each record in a block."""
    position, end, size, unpack = 0, len(block), _RECORD.size, _RECORD.unpack_from
    while position + size <= end:
        opcode, length = unpack(block, position)
        start = position + size
        position = start + length
        yield opcode, start, position


def _next_record(stream: BinaryIO) -> tuple[int, bytes, bytes] | None:
    head = stream.read(_RECORD.size)
    if len(head) < _RECORD.size:
        return None
    opcode, length = _RECORD.unpack(head)
    if opcode == 0 or length > _LONGEST:
        return None
    content = stream.read(length)
    return (opcode, head, content) if len(content) == length else None


def _unpacked(content: bytes) -> bytes | None:
    """Return what a chunk holds; None when it is damaged."""
    try:
        chunk = Chunk.read(ReadDataStream(BytesIO(content)))
        if chunk.compression == 'lz4':
            data = lz4.frame.decompress(chunk.data)
        elif chunk.compression == 'zstd':
            data = zstandard.decompress(chunk.data, chunk.uncompressed_size)
        elif chunk.compression == '':
            data = chunk.data
        else:
            return None
    except (EndOfFile, RuntimeError, ValueError, struct.error, zstandard.ZstdError):
        return None
    if len(data) != chunk.uncompressed_size:
        return None
    if chunk.uncompressed_crc and zlib.crc32(data) != chunk.uncompressed_crc:
        return None
    return data


def _note(opcode: int, content: bytes, scan: Scan) -> None:
    stream = ReadDataStream(BytesIO(content))
    if opcode == Opcode.SCHEMA:
        schema = Schema.read(stream)
        scan.schemas[schema.id] = schema
    elif opcode == Opcode.CHANNEL:
        channel = Channel.read(stream)
        scan.channels[channel.id] = channel
    elif opcode == Opcode.METADATA:
        record = Metadata.read(stream)
        scan.metadata[record.name] = record.metadata
