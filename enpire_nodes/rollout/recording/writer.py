"""A bag under way: one MCAP file in a directory of its own, which loses little when killed.

Chunks are small and carry CRCs, each is handed to the system when it is full or a second old, and
the closed file is flushed to the disk before ``metadata.yaml`` says that the bag is whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
import errno
import fcntl
import os
from pathlib import Path
import time

from mcap.writer import CompressionType, Writer

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.writing import sync_directory, write_atomically
from enpire_nodes.rollout.recording import metadata
from enpire_nodes.rollout.recording.definitions import Definition
from enpire_nodes.rollout.recording.metadata import OfferedQos, TopicSummary

COMPRESSIONS = {
    'none': CompressionType.NONE,
    'lz4': CompressionType.LZ4,
    'zstd': CompressionType.ZSTD,
}

#: Name of the MCAP metadata record that says from the first byte on whose bag this is.
ORIGIN_RECORD = 'enpire'


@dataclass(frozen=True, slots=True)
class BagSettings:
    """How a bag is written.

    :param compression: one of :data:`COMPRESSIONS`.
    :param chunk_size: bytes; a killed writer loses at most the chunk under way.
    :param flush_period: s, after which a chunk is written out though it is not full.
    """

    compression: str = 'zstd'
    chunk_size: int = 256 * 1024
    flush_period: float = 1.0


class BagWriter:
    """Writes ``<directory>/<name>_0.mcap``, and ``metadata.yaml`` when it closes.

    :param directory: of the bag; it must not exist.
    :param custom_data: kept in the file and in ``metadata.yaml``; for example the trial's id.
    :raises StationError: RECORDER_WRITE_FAILED or RECORDER_DISK_FULL.
    """

    def __init__(
        self,
        directory: Path,
        *,
        settings: BagSettings | None = None,
        custom_data: Mapping[str, str] | None = None,
    ) -> None:
        self.directory = directory
        self.settings = settings or BagSettings()
        self.file = directory / f'{directory.name}_0.mcap'
        self._custom_data = dict(custom_data or {})
        self._topics: list[TopicSummary] = []
        self._counts: list[int] = []
        self._schemas: dict[str, int] = {}
        self._start_ns, self._end_ns = 2**63 - 1, 0
        try:
            directory.mkdir(parents=True)
            self._sink = Sink(self.file)
            self._writer = Writer(
                self._sink,
                chunk_size=self.settings.chunk_size,
                compression=COMPRESSIONS[self.settings.compression],
                enable_data_crcs=True,
            )
            self._writer.start(profile='ros2', library='enpire')
            self._writer.add_metadata(ORIGIN_RECORD, self._custom_data)
        except OSError as error:
            raise write_error(directory, error) from error
        self._flushed = time.monotonic()

    @property
    def messages(self) -> int:
        """How many messages were written."""
        return sum(self._counts)

    @property
    def size(self) -> int:
        """Bytes handed to the system so far."""
        return self._sink.tell()

    def add_topic(
        self, name: str, definition: Definition, qos: tuple[OfferedQos, ...] = ()
    ) -> int:
        """Announce a topic, and return the channel that its messages name."""
        schema = self._schemas.get(definition.type)
        with self._reported():
            if schema is None:
                schema = self._writer.register_schema(
                    definition.type, 'ros2msg', definition.text.encode()
                )
                self._schemas[definition.type] = schema
            channel = self._writer.register_channel(
                name,
                'cdr',
                schema,
                {
                    'offered_qos_profiles': metadata.dump_qos(qos),
                    'topic_type_hash': definition.type_hash,
                },
            )
        self._topics.append(
            TopicSummary(name, definition.type, definition.type_hash, tuple(qos), 0)
        )
        self._counts.append(0)
        return channel

    def write(self, channel: int, data: bytes, log_ns: int) -> None:
        """Write a message.

        :param data: CDR with its encapsulation header, as received.
        :param log_ns: when it was received; rclpy's executor does not say when it was sent.
        :raises StationError: RECORDER_WRITE_FAILED or RECORDER_DISK_FULL.
        """
        count = self._counts[channel - 1]
        with self._reported():
            self._writer.add_message(channel, log_ns, data, log_ns, count)
        self._counts[channel - 1] = count + 1
        if log_ns < self._start_ns:
            self._start_ns = log_ns
        if log_ns > self._end_ns:
            self._end_ns = log_ns

    def flush_when_due(self) -> None:
        """Hand the chunk under way to the system when it is older than the flush period.

        :raises StationError: RECORDER_WRITE_FAILED or RECORDER_DISK_FULL.
        """
        if time.monotonic() - self._flushed >= self.settings.flush_period:
            self._flushed = time.monotonic()
            with self._reported():
                self._writer.flush()

    def close(self) -> None:
        """Finish the file, put it on the disk, and write ``metadata.yaml`` last.

        :raises StationError: RECORDER_WRITE_FAILED or RECORDER_DISK_FULL; the file stays behind
            unfinished, for :mod:`~enpire_nodes.rollout.recording.recovery`.
        """
        document = metadata.bag_document(
            file_name=self.file.name,
            start_ns=self._start_ns,
            end_ns=self._end_ns,
            topics=[
                replace(topic, messages=count)
                for topic, count in zip(self._topics, self._counts, strict=True)
            ],
            custom_data=self._custom_data,
            ros_distro=os.environ.get('ROS_DISTRO', 'unknown'),
        )
        with self._reported():
            self._writer.flush()
            self._writer.add_metadata(
                'rosbag2', {'serialized_metadata': metadata.dump_bare(document)}
            )
            self._writer.finish()
            self._sink.sync()
            self._sink.close()
            write_atomically(self.directory / metadata.FILE_NAME, metadata.dump(document).encode())
            sync_directory(self.directory.parent)

    def abandon(self) -> None:
        """Let go of the file as it is."""
        self._sink.close()

    @contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self._sink.close()
            raise write_error(self.directory, error) from error


class Sink:
    """An unbuffered file that is written to its end or raises; what it holds is with the kernel.

    It stays locked until it is closed, so that nobody recovers a bag that is being written.

    :param path: of the file, which must not exist.
    """

    def __init__(self, path: Path) -> None:
        self._descriptor: int | None = os.open(
            path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644
        )
        fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._size = 0

    def write(self, data: bytes) -> int:
        """Write all of ``data``."""
        if self._descriptor is None:
            raise OSError(errno.EBADF, 'the bag is closed')
        rest = memoryview(data)
        while rest:
            written = os.write(self._descriptor, rest)
            self._size += written
            rest = rest[written:]
        return len(data)

    def tell(self) -> int:
        """Return how many bytes there are."""
        return self._size

    def flush(self) -> None:
        """Do nothing: nothing is held back here."""

    def sync(self) -> None:
        """Wait until the disk has everything."""
        if self._descriptor is not None:
            os.fsync(self._descriptor)

    def close(self) -> None:
        """Close the file; once is enough."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def being_written(path: Path) -> bool:
    """Whether some process has the file open as a :class:`Sink`."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def write_error(path: Path, error: OSError) -> StationError:
    """Return the station's error for what the file system said."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return StationError(
            ErrorCode.RECORDER_DISK_FULL, f'the disk is full at {path}: free some space'
        )
    if error.errno == errno.EEXIST:
        return StationError(
            ErrorCode.RECORDER_WRITE_FAILED, f'{path} exists: a bag needs a new directory'
        )
    return StationError(
        ErrorCode.RECORDER_WRITE_FAILED,
        f'cannot write {path}: {error.strerror or error}; check the disk and its permissions',
    )
