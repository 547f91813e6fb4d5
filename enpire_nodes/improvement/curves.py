"""Curves of training: a file of JSON lines, and event files for TensorBoard."""

from __future__ import annotations

from collections.abc import Mapping
import json
import logging
from pathlib import Path
import time

_LOG = logging.getLogger(__name__)


class Curves:
    """Writes scalars over the number of updates; a full disk costs points, never the training.

    :param directory: gets ``curves.jsonl`` and the event files; made if it is missing.
    """

    def __init__(self, directory: Path) -> None:
        from tensorboardX import SummaryWriter

        directory.mkdir(parents=True, exist_ok=True)
        self._file = (directory / 'curves.jsonl').open('a', encoding='utf-8')
        self._events = SummaryWriter(str(directory), flush_secs=10)
        self._complained = False

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """Add a point to each curve.

        :param step: updates so far.
        """
        row = {'step': step, 'time': time.time(), **{k: float(v) for k, v in values.items()}}
        try:
            self._file.write(json.dumps(row) + '\n')
            self._file.flush()
            for name, value in values.items():
                self._events.add_scalar(name, value, step)
        except OSError as error:
            if not self._complained:
                _LOG.warning('curves are not written any more: %s; free the disk', error)
            self._complained = True

    def close(self) -> None:
        """Flush and close the files."""
        try:
            self._events.close()
            self._file.close()
        except OSError as error:
            _LOG.warning('the end of the curves is lost: %s', error)
