"""A recording under way: messages are put in by one thread and written by another.

Whoever receives messages never waits for the disk. What does not fit into the queue is dropped,
counted, and makes the bag incomplete.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
import shutil
import threading
import time
import traceback

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.recording.check import BagReport, check_bag
from enpire_nodes.rollout.recording.definitions import definition_of
from enpire_nodes.rollout.recording.metadata import OfferedQos
from enpire_nodes.rollout.recording.writer import BagSettings, BagWriter

# How often the writer looks into the queue, and how often at the free space; s.
_LOOK_PERIOD = 0.02
_SPACE_PERIOD = 1.0


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic to record; ``name`` is absolute, ``type`` like ``sensor_msgs/msg/JointState``."""

    name: str
    type: str
    qos: tuple[OfferedQos, ...] = ()


@dataclass(frozen=True, slots=True)
class Closed:
    """How a recording ended.

    :param report: what the bag holds; None when it is not readable.
    :param error: what went wrong; None when nothing did.
    :param dropped: messages of each topic that the queue had no room for.
    """

    report: BagReport | None
    error: StationError | None
    dropped: Mapping[str, int] = field(default_factory=dict)


class Recording:
    """Opens a bag and writes it in a thread of its own, until :meth:`stop`.

    :param directory: of the bag; it must not exist.
    :param queue_size: bytes that may wait for the disk.
    :param minimum_free: bytes of free space below which the recording ends itself.
    :raises StationError: RECORDER_DISK_FULL or RECORDER_WRITE_FAILED, and nothing is left behind.
    """

    def __init__(
        self,
        directory: Path,
        *,
        settings: BagSettings | None = None,
        custom_data: Mapping[str, str] | None = None,
        queue_size: int = 64 << 20,
        minimum_free: int = 0,
    ) -> None:
        require_space(directory, minimum_free)
        self.directory = directory
        self._writer = BagWriter(directory, settings=settings, custom_data=custom_data)
        self._queue: deque[tuple[int, bytes, int] | Topic] = deque()
        self._queue_size = queue_size
        self._minimum_free = minimum_free
        self._topics: list[Topic] = []
        self._put_bytes = self._taken_bytes = 0
        self._dropped: dict[int, int] = {}
        self._written: list[int] = []
        self._accepted: list[int] = []
        self._stop = threading.Event()
        self._closed: Closed | None = None
        self._thread = threading.Thread(target=self._run, name='bag writer', daemon=True)
        self._thread.start()

    # -- called by the thread that receives messages ------------------------------------------

    def add_topic(self, topic: Topic) -> int:
        """Announce a topic, and return the index that :meth:`put` wants.

        :raises StationError: RECORDER_TOPIC_MISSING, its type is not installed here.
        """
        definition_of(topic.type)
        self._topics.append(topic)
        self._accepted.append(0)
        self._queue.append(topic)
        return len(self._topics) - 1

    def put(self, index: int, data: bytes, log_ns: int) -> None:
        """Hand over a message: CDR as received, and when that was; never waits."""
        if self._stop.is_set():
            return
        if self._put_bytes - self._taken_bytes > self._queue_size:
            self._dropped[index] = self._dropped.get(index, 0) + 1
            return
        self._put_bytes += len(data)
        self._accepted[index] += 1
        self._queue.append((index, data, log_ns))

    def accepted(self) -> dict[str, int]:
        """Return how many messages of each topic are in the bag or on their way to it."""
        return {topic.name: count for topic, count in zip(self._topics, self._accepted)}

    def written(self) -> dict[str, int]:
        """Return how many messages of each topic have reached the bag."""
        return {topic.name: count for topic, count in zip(self._topics, tuple(self._written))}

    def stop(self) -> None:
        """Ask for the end; :attr:`closed` has the outcome a little later."""
        self._stop.set()

    @property
    def closed(self) -> Closed | None:
        """How it ended; None while the bag is open or being checked."""
        return self._closed

    def join(self, timeout: float) -> Closed | None:
        """Stop, wait up to ``timeout`` s, and return how it ended."""
        self.stop()
        self._thread.join(timeout)
        return self._closed

    def discard(self, timeout: float = 5.0) -> None:
        """Stop and remove the bag: no trial was recorded in it."""
        self.join(timeout)
        shutil.rmtree(self.directory, ignore_errors=True)

    # -- the writer's thread ------------------------------------------------------------------

    def _run(self) -> None:
        try:
            error = self._write_until_stopped()
            self._writer.close()
            report = check_bag(self.directory)
        except StationError as broken:
            self._end(None, broken)
        except Exception as defect:  # noqa: BLE001 - a thread has nobody else to tell
            traceback.print_exc()
            name = type(defect).__name__
            self._end(
                None,
                StationError(
                    ErrorCode.RECORDER_INTERNAL,
                    f'the writer failed ({name}: {defect}); see the log',
                ),
            )
        else:
            self._end(report, error)

    def _end(self, report: BagReport | None, error: StationError | None) -> None:
        self._stop.set()
        self._writer.abandon()
        dropped = {self._topics[index].name: count for index, count in self._dropped.items()}
        self._closed = Closed(report, error, dropped)

    def _write_until_stopped(self) -> StationError | None:
        looked = time.monotonic()
        while True:
            stopping = self._stop.wait(_LOOK_PERIOD)
            self._drain()
            if stopping:
                return None
            self._writer.flush_when_due()
            if time.monotonic() - looked > _SPACE_PERIOD:
                looked = time.monotonic()
                try:
                    require_space(self.directory, self._minimum_free // 2)
                except StationError as error:
                    self._stop.set()
                    self._drain()
                    return error

    def _drain(self) -> None:
        queue, writer = self._queue, self._writer
        while queue:
            item = queue.popleft()
            if isinstance(item, Topic):
                writer.add_topic(item.name, definition_of(item.type), item.qos)
                self._written.append(0)
            else:
                index, data, log_ns = item
                writer.write(index + 1, data, log_ns)
                self._taken_bytes += len(data)
                self._written[index] += 1


def require_space(directory: Path, minimum: int) -> None:
    """Make sure that ``minimum`` bytes are free where ``directory`` is or will be.

    :raises StationError: RECORDER_DISK_FULL.
    """
    place = directory
    while not place.exists() and place != place.parent:
        place = place.parent
    free = shutil.disk_usage(place).free
    if free < minimum:
        raise StationError(
            ErrorCode.RECORDER_DISK_FULL,
            f'{free / 1e6:.0f} MB are free at {place}, and {minimum / 1e6:.0f} MB are wanted to '
            'record: free some space, or lower minimum_free_mb',
        )
