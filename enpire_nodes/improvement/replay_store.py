"""A folder of recorded trials, one compressed NumPy file each: what a learner reads and re-reads.

Files are written whole or not at all and never changed, so that any number of readers may look
while one process writes. Failed and aborted trials are kept, and marked by their outcome.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
import io
import json
from pathlib import Path
import zipfile
import zlib

import numpy as np

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.writing import write_atomically
from enpire_nodes.improvement.recorded import RecordedAttempt, RecordedTrial

_SUFFIX = '.npz'
_ABOUT = 'about'
_ARRAYS = ('stamps', 'features', 'images', 'attempts')
#: What reading a damaged archive raises, by where the damage is.
_DAMAGE = (
    OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, RuntimeError,
    zipfile.BadZipFile, zlib.error,
)  # fmt: skip


class ReplayStore:
    """Recorded trials below ``directory``, which is made when the first one is added.

    :param directory: may be on a disk that fills up: :meth:`add` then raises, and what is there
        stays readable.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = Path(directory)

    def __contains__(self, trial_id: str) -> bool:
        return self._path(trial_id).is_file()

    def __len__(self) -> int:
        return len(self.ids())

    def __iter__(self) -> Iterator[RecordedTrial]:
        return (self.load(trial_id) for trial_id in self.ids())

    def ids(self) -> list[str]:
        """List the trials, in the order in which their files were written."""
        if not self.directory.is_dir():
            return []
        files = [path for path in self.directory.glob('*' + _SUFFIX) if path.name[0] != '.']
        return [
            path.name.removesuffix(_SUFFIX)
            for path in sorted(files, key=lambda path: (path.stat().st_mtime_ns, path.name))
        ]

    def add(self, trial: RecordedTrial) -> Path:
        """Keep a trial; one with the same identifier is replaced.

        :raises OSError: it could not be written, for example because the disk is full.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        arrays: dict[str, np.ndarray] = {}
        about = {**_plain(trial), 'attempts': [_plain(attempt) for attempt in trial.attempts]}
        for attempt in trial.attempts:
            prefix = f'{attempt.index}'
            arrays[f'{prefix}/stamps'] = attempt.stamps
            for name, values in attempt.features.items():
                arrays[f'{prefix}/features/{name}'] = np.asarray(values, dtype=np.float32)
            for camera, pictures in attempt.images.items():
                arrays[f'{prefix}/images/{camera}'] = pictures
        arrays[_ABOUT] = np.frombuffer(json.dumps(about).encode(), dtype=np.uint8)
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **arrays)
        path = self._path(trial.trial_id)
        write_atomically(path, buffer.getvalue())
        return path

    def load(self, trial_id: str) -> RecordedTrial:
        """Read a trial.

        :raises StationError: IMPROVEMENT_REPLAY_UNREADABLE, it is missing or damaged.
        """
        path = self._path(trial_id)
        try:
            with np.load(path, allow_pickle=False) as data:
                about = json.loads(bytes(data[_ABOUT]))
                listed = about.pop('attempts')
                attempts = tuple(_attempt(data, entry) for entry in listed)
            return RecordedTrial(attempts=attempts, **about)
        except _DAMAGE as error:
            raise StationError(
                ErrorCode.IMPROVEMENT_REPLAY_UNREADABLE,
                f'{path} cannot be read ({type(error).__name__}: {error}); delete it, and it is '
                'made again from the bag of the trial',
            ) from error

    def _path(self, trial_id: str) -> Path:
        return self.directory / (trial_id + _SUFFIX)


def _plain(record: RecordedTrial | RecordedAttempt) -> dict[str, object]:
    names = [item.name for item in fields(record) if item.name not in _ARRAYS]
    return {name: getattr(record, name) for name in names}


def _attempt(data: np.lib.npyio.NpzFile, about: dict) -> RecordedAttempt:
    prefix = f'{about["index"]}/'
    features, images = {}, {}
    for key in data.files:
        if key.startswith(prefix + 'features/'):
            features[key.removeprefix(prefix + 'features/')] = data[key]
        elif key.startswith(prefix + 'images/'):
            images[key.removeprefix(prefix + 'images/')] = data[key]
    return RecordedAttempt(
        stamps=data[prefix + 'stamps'], features=features, images=images, **about
    )
