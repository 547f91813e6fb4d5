"""What a verdict was made of, read back from the bag of its trial.

Pictures come from the JPEG topics that bags hold, so that they differ a little from what the judge
saw. The stamps are those of the messages, hence of the station's clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rosbags.highlevel import AnyReader
from rosbags.highlevel.anyreader import AnyReaderError
from rosbags.interfaces import Connection
from rosbags.rosbag2 import ReaderError

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.types import ArmState, Frame
from enpire_nodes.environment.evidence import Evidence
from enpire_nodes.rollout.records import AttemptRecord, VerdictRecord
from enpire_nodes.tasks.api import Task

_ROUNDING = 1e-6  # s: a stamp that has been a float since
_MARGIN_NS = 2 * 10**9  # log times are the recorder's, which hears a little later


def evidence_of(
    bag: Path,
    *,
    task: Task,
    attempt: AttemptRecord,
    source: str = '',
    label: bool | None = None,
) -> Evidence:
    """Return the evidence on one attempt of a trial.

    :param bag: directory of the trial's bag.
    :param task: whose working arm and cameras matter.
    :param attempt: as the ledger has it; it says when the policy ended and the arm had settled.
    :param source: what to call it; the bag by default.
    :raises StationError: ENVIRONMENT_EVIDENCE_UNREADABLE, the bag cannot be read, or holds no
        picture or no force of that time.
    """
    settle_start = _seconds(attempt.start_ns + round(attempt.duration * 1e9))
    settled = _seconds(attempt.end_ns)
    now = _decided(attempt.verdict)
    try:
        with AnyReader([bag]) as reader:
            states = _states(reader, task.arm, settle_start, settled)
            frames = {name: _frames(reader, name, settled, now) for name in task.cameras}
    except (AnyReaderError, ReaderError, OSError, ValueError, KeyError) as error:
        raise _unreadable(bag, f'{type(error).__name__}: {error}') from error
    missing = [name for name, taken in frames.items() if not taken]
    if missing or not states:
        what = f'no picture of {", ".join(missing)}' if missing else 'no state of the arm'
        raise _unreadable(bag, f'{what} between the end of the attempt and its verdict')
    return Evidence(
        frames=frames,
        states=states,
        settle_start=settle_start,
        settled=settled,
        now=now,
        source=source or f'{bag} attempt {attempt.index}',
        label=label,
    )


def _states(reader: AnyReader, arm: str, start: float, end: float) -> tuple[ArmState, ...]:
    """Put the streams of an arm together: with each pose, the newest of the others by then."""
    poses = list(_messages(reader, f'/{arm}/tcp_pose', start, end))
    wrenches = list(_messages(reader, f'/{arm}/wrench', start - 0.1, end))
    grips = list(_messages(reader, f'/{arm}/gripper/state', start - 0.1, end))
    if not (poses and wrenches and grips):
        return ()
    felt = np.array([stamp for stamp, _ in wrenches])
    held = np.array([stamp for stamp, _ in grips])
    states = []
    for stamp, pose in poses:
        wrench = wrenches[max(0, int(np.searchsorted(felt, stamp + _ROUNDING)) - 1)][1].wrench
        grip = grips[max(0, int(np.searchsorted(held, stamp + _ROUNDING)) - 1)][1]
        position, turn = pose.pose.position, pose.pose.orientation
        states.append(
            ArmState(
                stamp=stamp,
                position=np.array([position.x, position.y, position.z]),
                quaternion=np.array([turn.x, turn.y, turn.z, turn.w]),
                force=np.array([wrench.force.x, wrench.force.y, wrench.force.z]),
                torque=np.array([wrench.torque.x, wrench.torque.y, wrench.torque.z]),
                gripper_width=float(grip.position[0]),
                gripper_effort=float(grip.effort[0]) if len(grip.effort) else 0.0,
            )
        )
    return tuple(states)


def _frames(reader: AnyReader, camera: str, start: float, end: float) -> tuple[Frame, ...]:
    topic, frames = f'/camera/{camera}/image_raw/compressed', []
    for stamp, message in _messages(reader, topic, start, end):
        image = cv2.imdecode(np.asarray(message.data, dtype=np.uint8), cv2.IMREAD_COLOR)
        if image is None:
            raise ValueError(f'a picture of {camera} is no picture')
        frames.append(Frame(stamp, cv2.cvtColor(image, cv2.COLOR_BGR2RGB)))
    return tuple(frames)


def _messages(
    reader: AnyReader, ending: str, start: float, end: float
) -> Iterator[tuple[float, Any]]:
    """Yield stamp and message of a topic within a span of the station's clock, in their order."""
    found: list[Connection] = [
        connection
        for connection in reader.connections
        if connection.topic.endswith(ending) and '/driver' not in connection.topic
    ]
    if not found:  # to the reader, no connection means every one
        return iter(())
    span = {'start': int(start * 1e9) - _MARGIN_NS, 'stop': int(end * 1e9) + _MARGIN_NS}
    messages = []
    for connection, _, data in reader.messages(found, **span):
        message = reader.deserialize(data, connection.msgtype)
        stamp = _seconds(message.header.stamp.sec * 10**9 + message.header.stamp.nanosec)
        if start - _ROUNDING <= stamp <= end + _ROUNDING:
            messages.append((stamp, message))
    return iter(sorted(messages, key=lambda item: item[0]))


def _decided(verdict: VerdictRecord) -> float:
    """Return s, when it was decided: not before the newest picture that was looked at.

    A simulated clock reaches a node by a topic of its own. Where a picture overtook it, the
    verdict is stamped before that picture, and says so by a latency below 0.
    """
    lead = -verdict.latency if verdict.latency < 0.0 else 0.0
    return _seconds(verdict.stamp_ns) + lead


def _seconds(nanoseconds: int) -> float:
    """Return s, rounded as the nodes round a stamp: a picture of that very instant counts."""
    return nanoseconds // 10**9 + nanoseconds % 10**9 * 1e-9


def _unreadable(bag: Path, reason: str) -> StationError:
    return StationError(
        ErrorCode.ENVIRONMENT_EVIDENCE_UNREADABLE,
        f'{bag}: {reason}; see `enpire recover` and `enpire trials check`',
    )
