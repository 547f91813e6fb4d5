"""From the bag of a trial, or from a trial that ran in this process, to what a learner keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
import json
from pathlib import Path

import cv2
import numpy as np
from rosbags.highlevel import AnyReader

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.improvement.recorded import RecordedAttempt, RecordedTrial
from enpire_nodes.rollout.policy.pictures import PREFIX
from enpire_nodes.rollout.record_json import from_json
from enpire_nodes.rollout.records import AttemptRecord, TrialRecord
from enpire_nodes.tasks.eye import Crop

_TOPIC = '/policy/features'
#: Stamps in s, and features by name, of the rows of one attempt.
Trace = Sequence[tuple[float, Mapping[str, np.ndarray]]]


def recorded_trial(directory: Path, *, crops: Mapping[str, Crop] | None = None) -> RecordedTrial:
    """Read a closed trial back from ``trial.json`` and the bag beside it.

    A trial that ended before a policy began has no attempts, and is whole nevertheless.

    :param directory: of the trial, ``<run>/trials/<trial_id>``.
    :param crops: by camera: what to keep of the pictures; None for no pictures.
    :raises StationError: IMPROVEMENT_REPLAY_UNREADABLE, the record or the bag is missing or
        damaged, or the bag is of a version that did not record what policies are told.
    """
    try:
        record = from_json(TrialRecord, json.loads((directory / 'trial.json').read_text('utf-8')))
        traces = attempt_traces(directory / 'bag', crops or {}) if record.attempts else {}
    # damage raises whatever the decompressor or the reader of that part raises
    except Exception as error:
        raise _unreadable(directory, f'{type(error).__name__}: {error}') from error
    ran = [attempt for attempt in record.attempts if attempt.steps > 0]
    missing = [attempt.index for attempt in ran if attempt.index not in traces]
    if missing:
        raise _unreadable(directory, f'the bag lacks {_TOPIC} of attempt {missing[0]}')
    return trial_of(record, traces)


def trial_of(record: TrialRecord, traces: Mapping[int, Trace]) -> RecordedTrial:
    """Put a closed record and what the policy saw together.

    :param traces: by the number of the attempt.
    """
    parameters = record.controller_parameters
    explored = any(bool(value) for key, value in parameters.items() if key.endswith('explore'))
    attempts = [
        _attempt(attempt, traces[attempt.index])
        for attempt in record.attempts
        if traces.get(attempt.index)
    ]
    return RecordedTrial(
        trial_id=record.trial_id,
        attempts=tuple(attempts),
        outcome=record.outcome.name.lower(),
        controller=record.controller,
        controller_digest=record.controller_digest,
        requester=record.requester,
        commit=record.commit,
        explored=explored,
        operator_seconds=sum(attempt.operator_seconds for attempt in record.attempts),
        robot_seconds=record.robot_seconds,
    )


def _attempt(record: AttemptRecord, trace: Trace) -> RecordedAttempt:
    # the arm may be halted after the policy was: those rows are not its doing
    rows = list(trace)[: record.steps + 1] if record.steps else list(trace)
    names = list(rows[0][1])
    stacked = {name: np.stack([features[name] for _, features in rows]) for name in names}
    return RecordedAttempt(
        index=record.index,
        stamps=np.array([stamp for stamp, _ in rows]),
        features={
            name: values.astype(np.float32)
            for name, values in stacked.items()
            if not name.startswith(PREFIX)
        },
        images={
            name.removeprefix(PREFIX): values
            for name, values in stacked.items()
            if name.startswith(PREFIX)
        },
        verdict=record.verdict.outcome.name.lower(),
        execution=record.execution.name.lower(),
        peak_force=float(record.peak_force),
        depth=float(record.depth),
    )


def attempt_traces(bag: Path, crops: Mapping[str, Crop]) -> dict[int, list]:
    """Return by the number of the attempt what the policy was told: rows as of :data:`Trace`.

    :param crops: by camera: what to keep of the pictures.
    :raises Exception: of any kind, as the reader of bags has them; the bag is damaged.
    """
    traces: dict[int, list[tuple[float, dict[str, np.ndarray]]]] = {}
    with AnyReader([bag]) as reader:
        told = [c for c in reader.connections if c.topic.endswith(_TOPIC)]
        if not told:  # to the reader, no connection means every one
            return {}
        for connection, _, raw in reader.messages(told):
            message = reader.deserialize(raw, connection.msgtype)
            parts = np.split(np.asarray(message.values), np.cumsum(message.sizes)[:-1])
            row = (_stamp(message), dict(zip(message.names, parts, strict=True)))
            traces.setdefault(message.attempt, []).append(row)
        pictures = {name: _pictures(reader, name, crop) for name, crop in crops.items()}
    for trace in traces.values():
        trace.sort(key=lambda row: row[0])
        for stamp, features in trace:
            for name, (stamps, images) in pictures.items():
                newest = max(0, int(np.searchsorted(stamps, stamp + 1e-6)) - 1)
                features[PREFIX + name] = images[newest]
    return traces


def _pictures(reader: AnyReader, camera: str, crop: Crop) -> tuple[np.ndarray, list[np.ndarray]]:
    ending = f'/camera/{camera}/image_raw/compressed'
    chosen = [c for c in reader.connections if c.topic.endswith(ending)]
    stamps, images = [], []
    for connection, _, raw in reader.messages(chosen) if chosen else ():
        message = reader.deserialize(raw, connection.msgtype)
        image = cv2.imdecode(np.asarray(message.data, dtype=np.uint8), cv2.IMREAD_COLOR)
        if image is None:
            raise ValueError(f'a picture of {camera} is no picture')
        stamps.append(_stamp(message))
        images.append(crop(cv2.cvtColor(image, cv2.COLOR_BGR2RGB)))
    if not images:
        raise ValueError(f'the bag has no picture of {camera}')
    return np.array(stamps), images


def _stamp(message: object) -> float:
    return message.header.stamp.sec + message.header.stamp.nanosec * 1e-9


def _unreadable(directory: Path, reason: str) -> StationError:
    return StationError(
        ErrorCode.IMPROVEMENT_REPLAY_UNREADABLE,
        f'{directory}: {reason}; see `enpire recover` and `enpire trials check`',
    )
