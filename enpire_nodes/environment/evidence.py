"""What a verdict is made of, kept so that it can be judged, labelled and learned from later.

A file of evidence is one compressed ``.npz`` without a pickle: ``about`` (JSON), and for each
camera ``frames/<name>`` (n, height, width, 3) uint8 with ``stamps/<name>`` (n,) s, and ``states``
(n, 16): the fields of :class:`~enpire_nodes.common.types.ArmState` in their order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
import json
from pathlib import Path
import time

import numpy as np

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.types import ArmState, Frame
from enpire_nodes.environment.arrays import read_arrays, write_arrays
from enpire_nodes.tasks.api import Judgement, Verifier

_VERSION = 1
_ABOUT = ('settle_start', 'settled', 'now', 'source', 'kind', 'label')


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What a judge is shown between the end of the policy and its decision.

    :param frames: by camera, oldest first; all exposed at or after ``settled``.
    :param states: of the working arm, from ``settle_start`` to ``settled``.
    :param settle_start: s of the station's clock, when the policy had ended.
    :param settled: s, when the arm had let go (or not), retreated and stood still.
    :param now: s, when it is judged.
    :param source: where it is from: a trial with its attempt, or a kind with its seed.
    :param kind: what it shows, in the words of whoever made it; '' when nobody said.
    :param label: True for a success, False for a failure, None when nobody said.
    """

    frames: Mapping[str, tuple[Frame, ...]]
    states: tuple[ArmState, ...]
    settle_start: float
    settled: float
    now: float
    source: str
    kind: str = ''
    label: bool | None = None


def judge(verifier: Verifier, evidence: Evidence) -> Judgement:
    """Show evidence to a judge that has seen nothing yet, in the order of time; it decides.

    :param verifier: a fresh one: it would mix the evidence with what it saw before.
    """
    return judge_timed(verifier, evidence)[0]


def judge_timed(verifier: Verifier, evidence: Evidence) -> tuple[Judgement, float]:
    """Judge, and measure what somebody who waits for the verdict waits.

    :return: the judgement, and s of wall-clock from the arrival of the last picture of all to
        the decision. Earlier pictures are looked at as they come, as on a station.
    """
    window = {'settle_start': evidence.settle_start, 'settled': evidence.settled}
    for state in evidence.states:
        verifier.add_arm_state(state)
    arrivals = sorted(
        ((frame.stamp, name, frame) for name, taken in evidence.frames.items() for frame in taken),
        key=lambda arrival: arrival[:2],
    )
    started = time.perf_counter()
    for _, name, frame in arrivals:
        started = time.perf_counter()
        verifier.add_frame(name, frame)
        verifier.ready(**window)
    judgement = verifier.decide(now=evidence.now, **window)
    return judgement, time.perf_counter() - started


def save(evidence: Evidence, path: Path) -> str:
    """Write a file of evidence, whole or not at all; equal evidence makes equal files.

    :return: the sha256 of the file in hex.
    """
    about = {name: getattr(evidence, name) for name in _ABOUT}
    about |= {'version': _VERSION, 'cameras': list(evidence.frames)}
    arrays = {'about': np.array(json.dumps(about)), 'states': _rows(evidence.states)}
    for name, frames in evidence.frames.items():
        arrays[f'stamps/{name}'] = np.array([frame.stamp for frame in frames], dtype=float)
        images = [frame.image for frame in frames]
        arrays[f'frames/{name}'] = np.stack(images) if images else np.zeros((0, 0, 0, 3), np.uint8)
    return write_arrays(path, arrays, compressed=True)


def load(path: Path) -> Evidence:
    """Read a file of evidence.

    :raises StationError: ENVIRONMENT_EVIDENCE_UNREADABLE, naming the file and what is wrong.
    """
    return load_known(path)[0]


def load_known(path: Path) -> tuple[Evidence, str]:
    """Read a file of evidence, once; return what it holds and its sha256 in hex.

    :raises StationError: as :func:`load` does.
    """
    return read_arrays(path, _evidence, _unreadable)


def _evidence(arrays: Mapping[str, np.ndarray]) -> Evidence:
    about = json.loads(str(arrays['about']))
    if about['version'] != _VERSION:
        raise ValueError(f'version {about["version"]} is not {_VERSION}')
    label = about['label']
    if label is not None and not isinstance(label, bool):
        raise ValueError(f'label {label!r} is neither true, false nor null')
    states = arrays['states']
    if states.ndim != 2 or states.shape[1] != 16 or states.dtype != np.float64:
        raise ValueError(f'states are {states.dtype} {states.shape}, not float64 (n, 16)')
    return Evidence(
        frames={name: _frames(arrays, name) for name in about['cameras']},
        states=tuple(_state(row) for row in states),
        settle_start=float(about['settle_start']),
        settled=float(about['settled']),
        now=float(about['now']),
        source=str(about['source']),
        kind=str(about['kind']),
        label=label,
    )


def _frames(arrays: Mapping[str, np.ndarray], name: str) -> tuple[Frame, ...]:
    stamps, images = arrays[f'stamps/{name}'], arrays[f'frames/{name}']
    if images.ndim != 4 or images.shape[3] != 3 or images.dtype != np.uint8:
        raise ValueError(f'pictures of {name} are {images.dtype} {images.shape}, not RGB')
    if stamps.shape != (len(images),):
        raise ValueError(f'{len(images)} pictures of {name} have {stamps.shape} stamps')
    return tuple(Frame(float(stamp), image) for stamp, image in zip(stamps, images, strict=True))


def _rows(states: tuple[ArmState, ...]) -> np.ndarray:
    rows = [
        np.concatenate(
            [
                [state.stamp],
                state.position,
                state.quaternion,
                state.force,
                state.torque,
                [state.gripper_width, state.gripper_effort],
            ]
        )
        for state in states
    ]
    return np.array(rows, dtype=float).reshape(-1, 16)


def _state(row: np.ndarray) -> ArmState:
    return ArmState(
        stamp=float(row[0]),
        position=row[1:4],
        quaternion=row[4:8],
        force=row[8:11],
        torque=row[11:14],
        gripper_width=float(row[14]),
        gripper_effort=float(row[15]),
    )


def _unreadable(path: Path, reason: str) -> StationError:
    return StationError(
        ErrorCode.ENVIRONMENT_EVIDENCE_UNREADABLE,
        f'{path} is no evidence that can be read ({reason}); record or export it anew',
    )
