"""Curves of training: a file of JSON lines, and event files for TensorBoard."""

from __future__ import annotations

from collections.abc import Mapping
import json
import logging
from pathlib import Path
import time
from typing import Any, TextIO

_LOG = logging.getLogger(__name__)
_FLUSH_EVERY = 10.0  # s: it waits for the disk


class Curves:
    """Writes scalars over the number of updates; a full disk costs points, never the training.

    :param directory: gets ``curves.jsonl`` and the event files; made if it is missing.
    """

    def __init__(self, directory: Path) -> None:
        self._file: TextIO | None = None
        self._events: Any = None
        self._flushed = time.monotonic()
        self._complained = False
        try:
            self._open(directory)
        except OSError as error:
            self._complain(error)

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """Add a point to each curve.

        :param step: updates so far.
        """
        if self._events is None:
            return
        now = time.time()  # TensorBoard shows when a point was made
        row = {'step': step, 'time': now, **{k: float(v) for k, v in values.items()}}
        try:
            self._file.write(json.dumps(row) + '\n')
            self._file.flush()
            for name, value in values.items():
                self._events.write_event(_event(now, step, name, float(value)))
            if time.monotonic() - self._flushed > _FLUSH_EVERY:
                self._flushed = time.monotonic()
                self._events.flush()
        except OSError as error:
            self._complain(error)

    def close(self) -> None:
        """Flush and close the files."""
        for stream in (self._events, self._file):
            try:
                if stream is not None:
                    stream.close()
            except OSError as error:
                _LOG.warning('the end of the curves is lost: %s', error)

    def _open(self, directory: Path) -> None:
        # not its SummaryWriter: that writes in a thread, which a full disk ends, and then waits
        # for ever for room in the queue of that thread
        from tensorboardX.event_file_writer import EventsWriter

        directory.mkdir(parents=True, exist_ok=True)
        self._file = (directory / 'curves.jsonl').open('a', encoding='utf-8')
        self._events = EventsWriter(str(directory / 'events'))

    def _complain(self, error: OSError) -> None:
        if not self._complained:
            _LOG.warning('curves are not written any more: %s; free the disk', error)
        self._complained = True


def _event(now: float, step: int, name: str, value: float) -> Any:
    from tensorboardX.proto.event_pb2 import Event
    from tensorboardX.summary import scalar

    return Event(wall_time=now, step=step, summary=scalar(name, value))
