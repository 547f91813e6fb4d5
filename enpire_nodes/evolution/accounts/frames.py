"""The pictures in a bag."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from enpire_nodes.common.errors import ErrorCode, StationError

_SCALE = 2  # a picture of 320 x 240 px is small for a reader


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """A compressed picture; ``stamp`` in s of the station's clock, NaN when it has none."""

    stamp: float
    content: bytes


def compressed_frames(bag: Path, *, camera: str = '') -> dict[str, list[Shot]]:
    """Return every camera's JPEG pictures in the order of their arrival.

    :param camera: the only one to read; empty for all.
    """
    from rosbags.highlevel import AnyReader
    from rosbags.typesys import get_typestore, Stores

    found: dict[str, list[Shot]] = {}
    store = get_typestore(Stores.ROS2_JAZZY)
    with AnyReader([bag], default_typestore=store) as reader:
        wanted = [
            item
            for item in reader.connections
            if item.msgtype == 'sensor_msgs/msg/CompressedImage'
            and camera in ('', _camera(item.topic))
        ]
        # to the reader, no connection means every one
        for connection, _, raw in reader.messages(connections=wanted) if wanted else ():
            message = reader.deserialize(raw, connection.msgtype)
            shot = Shot(_stamp(message), bytes(message.data))
            found.setdefault(_camera(connection.topic), []).append(shot)
    return found


def cameras(bag: Path) -> list[str]:
    """Return the names of the cameras that a bag has pictures of."""
    from rosbags.highlevel import AnyReader

    with AnyReader([bag]) as reader:
        return sorted(
            _camera(item.topic)
            for item in reader.connections
            if item.msgtype == 'sensor_msgs/msg/CompressedImage' and item.msgcount
        )


def shots_of(bag: Path | None, camera: str) -> tuple[str, list[Shot]]:
    """Return the name of a camera and its pictures.

    :param camera: empty for the last by name, which is the view from the side.
    :raises StationError: IMPROVEMENT_REPLAY_UNREADABLE, the bag or the camera is not there.
    """
    try:
        if bag is None or not Path(bag).is_dir():
            raise FileNotFoundError(f'there is no bag {bag}')
        known = cameras(Path(bag))
        name = camera or (known[-1] if known else '')
        if name in known:
            return name, compressed_frames(Path(bag), camera=name)[name]
    # damage raises whatever the decompressor or the reader of that part raises
    except Exception as error:
        raise _unreadable(f'{type(error).__name__}: {error}') from error
    raise _unreadable(f'no camera {camera!r}; there are: {", ".join(known) or "none"}')


def picture(bag: Path | None, camera: str = '', moment: float = 0.5) -> bytes:
    """Return a PNG of what a camera saw, with the camera and the time written into it.

    :param moment: share of the recording's length, 0 to 1.
    :raises StationError: IMPROVEMENT_REPLAY_UNREADABLE.
    """
    name, shots = shots_of(bag, camera)
    place = round(min(max(moment, 0.0), 1.0) * (len(shots) - 1))
    image = labelled(shots, place, name)
    done, content = cv2.imencode('.png', image)
    if not done:
        raise _unreadable(f'the picture of {name} cannot be written')
    return content.tobytes()


def labelled(shots: list[Shot], place: int, name: str) -> np.ndarray:
    """Return one picture, BGR, enlarged and with its camera and time.

    :raises StationError: IMPROVEMENT_REPLAY_UNREADABLE, it is no picture.
    """
    image = cv2.imdecode(np.frombuffer(shots[place].content, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise _unreadable(f'picture {place} of {name} is damaged')
    if image.shape[1] <= 480:
        image = cv2.resize(image, None, fx=_SCALE, fy=_SCALE, interpolation=cv2.INTER_CUBIC)
    words = f'{name}  {shots[place].stamp - shots[0].stamp:.1f} s'
    for colour, width in (((0, 0, 0), 4), ((255, 255, 255), 1)):
        cv2.putText(
            image, words, (12, 28), cv2.FONT_HERSHEY_SIMPLEX, 0.7, colour, width, cv2.LINE_AA
        )
    return image


def _camera(topic: str) -> str:
    return topic.rsplit('/', 3)[1] if topic.count('/') >= 3 else topic


def _stamp(message: object) -> float:
    return message.header.stamp.sec + message.header.stamp.nanosec * 1e-9


def _unreadable(reason: str) -> StationError:
    return StationError(
        ErrorCode.IMPROVEMENT_REPLAY_UNREADABLE, f'there is no such picture: {reason}'
    )
