"""Moving pictures of a trial."""

from __future__ import annotations

from pathlib import Path
import tempfile

import cv2

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.evolution.accounts.frames import labelled, shots_of

_MOST = 240  # pictures
_RATE = 10.0  # pictures a second when the stamps say nothing
MP4 = 'video/mp4'


def clip(bag: Path | None, camera: str = '') -> tuple[bytes, str]:
    """Return what a camera saw of a trial, in real time, and its media type.

    :param camera: empty for the last by name.
    :raises StationError: IMPROVEMENT_REPLAY_UNREADABLE.
    """
    name, shots = shots_of(bag, camera)
    step = -(-len(shots) // _MOST)
    chosen = range(0, len(shots), step)
    span = shots[-1].stamp - shots[0].stamp
    rate = min(max((len(chosen) - 1) / span if span > 0.0 else _RATE, 1.0), 60.0)
    first = labelled(shots, 0, name)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'clip.mp4'
        size = (first.shape[1], first.shape[0])
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'mp4v'), rate, size)
        try:
            if not writer.isOpened():
                raise StationError(
                    ErrorCode.IMPROVEMENT_REPLAY_UNREADABLE,
                    'this OpenCV writes no MP4; look at pictures instead: `enpire trial picture`',
                )
            for place in chosen:
                writer.write(labelled(shots, place, name))
        finally:
            writer.release()
        return path.read_bytes(), MP4
