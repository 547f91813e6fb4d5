"""The file of a task's learned eyes: one ``.npz`` without a pickle.

``about`` is JSON: format, task, digest and counts of what was learned from, seed, versions, and
for each camera its crop, architecture, temperature, thresholds and held-out figures. The weights
are the arrays ``<camera>/<name>`` in float32. Equal fits make equal files, and the sha256 of the
file is part of the verifier's digest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
import json
from pathlib import Path
from typing import Any

import numpy as np

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.environment.arrays import read_arrays, write_arrays
from enpire_nodes.environment.learned.eye import LearnedEye
from enpire_nodes.environment.learned.network import Architecture, Network
from enpire_nodes.environment.learned.thresholds import Range
from enpire_nodes.tasks.eye import Crop

_FORMAT = 1


@dataclass(frozen=True, slots=True, eq=False)
class EyeWeights:
    """One camera's eye as it is stored.

    :param arrays: float32 weights by name.
    :param held_out: figures on the held-out episodes, for people.
    """

    crop: Crop
    architecture: Architecture
    arrays: Mapping[str, np.ndarray]
    temperature: float
    thresholds: Range
    held_out: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """The learned eyes of a task.

    :param eyes: by camera.
    :param about: what else is worth knowing, as JSON types: counts, seed, versions, data digest.
    """

    task: str
    eyes: Mapping[str, EyeWeights]
    about: Mapping[str, Any] = field(default_factory=dict)


def save_weights(weights: Weights, path: Path) -> str:
    """Write the file, whole or not at all.

    :return: its sha256 in hex.
    :raises OSError: it cannot be written.
    """
    cameras = {
        name: {
            'crop': eye.crop.to_json(),
            'architecture': eye.architecture.to_json(),
            'temperature': eye.temperature,
            'thresholds': [eye.thresholds.low, eye.thresholds.high],
            'held_out': dict(eye.held_out),
        }
        for name, eye in weights.eyes.items()
    }
    header = {**weights.about, 'format': _FORMAT, 'task': weights.task, 'cameras': cameras}
    arrays = {'about': np.array(json.dumps(header, sort_keys=True))}
    for name, eye in weights.eyes.items():
        arrays |= {f'{name}/{key}': value for key, value in eye.arrays.items()}
    return write_arrays(path, arrays)


def load_eyes(path: Path, *, task: str, crops: Mapping[str, Crop]) -> dict[str, LearnedEye]:
    """Read the eyes of a task's cameras.

    :param task: for which they must have been trained.
    :param crops: by camera, as the task cuts them now; the eyes must have learned from the same.
    :raises StationError: ENVIRONMENT_WEIGHTS_UNUSABLE, naming the file and what is wrong.
    """
    weights, digest = read_arrays(path, _parse, _unusable)
    if weights.task != task:
        raise _unusable(path, f'it was trained for the task {weights.task}, not for {task}')
    if set(weights.eyes) != set(crops):
        have, need = ', '.join(sorted(weights.eyes)), ', '.join(sorted(crops))
        raise _unusable(path, f'it has eyes for the cameras {have}; the task looks with {need}')
    for name, crop in crops.items():
        if weights.eyes[name].crop != crop:
            raise _unusable(
                path,
                f'the eye of camera {name} learned from {weights.eyes[name].crop}, and the task '
                f'cuts {crop} now: the calibration or the task has changed',
            )
    return {name: _eye(weights.eyes[name], digest) for name in crops}


def read_weights(path: Path) -> Weights:
    """Read a file of weights whatever it is for; raises as :func:`load_eyes`."""
    return read_arrays(path, _parse, _unusable)[0]


def _eye(stored: EyeWeights, digest: str) -> LearnedEye:
    return LearnedEye(
        stored.crop,
        Network(stored.architecture, stored.arrays),
        temperature=stored.temperature,
        thresholds=stored.thresholds,
        digest=digest,
    )


def _parse(stored: Mapping[str, np.ndarray]) -> Weights:
    header, arrays = json.loads(str(stored['about'])), dict(stored)
    if header['format'] != _FORMAT:
        raise ValueError(f'format {header["format"]} is not {_FORMAT}')
    eyes = {
        name: _stored_eye(
            entry,
            {
                key.removeprefix(f'{name}/'): value
                for key, value in arrays.items()
                if key.startswith(f'{name}/')
            },
        )
        for name, entry in header['cameras'].items()
    }
    about = {
        key: value for key, value in header.items() if key not in ('format', 'task', 'cameras')
    }
    return Weights(str(header['task']), eyes, about)


def _stored_eye(entry: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> EyeWeights:
    crop = Crop.from_json(entry['crop'])
    architecture = Architecture.from_json(entry['architecture'])
    if architecture.size != crop.size:
        raise ValueError(f'crops of {crop.size} px do not fit a network for {architecture.size}')
    Network(architecture, arrays)  # refuses wrong shapes
    temperature = float(entry['temperature'])
    if not 0.0 < temperature < float('inf'):
        raise ValueError(f'the temperature {temperature} is not positive')
    low, high = (float(value) for value in entry['thresholds'])
    return EyeWeights(crop, architecture, arrays, temperature, Range(low, high), entry['held_out'])


def _unusable(path: Path, reason: str) -> StationError:
    return StationError(
        ErrorCode.ENVIRONMENT_WEIGHTS_UNUSABLE,
        f'{path} cannot be used ({reason}); run `enpire environment fit` and name its file',
    )
