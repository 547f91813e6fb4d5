"""The controller that does again what was commanded before: a recorded attempt, or a file.

``source`` is the folder of a trial or its bag (the commands of one attempt are read from the bag,
with the times in ``trial.json`` beside it), or an ``.npz`` file with ``time`` (n,) s from the
first step, ``position`` (n, 3) m in ``world``, and ``gripper_width`` (n,) m.
"""

from __future__ import annotations

from dataclasses import dataclass
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.controllers.interface import Action, AttemptContext, Features
from enpire_nodes.rollout.controllers.settings import setting


@dataclass(frozen=True, slots=True)
class ReplaySettings:
    """Which recording."""

    source: str = setting('', 'folder of a trial or of its bag, or an .npz file of actions')
    attempt: int = setting(1, 'which attempt of the trial, from 1', minimum=1, maximum=8)
    arm: str = setting('right', 'whose commands the bag is searched for')


class Recording(NamedTuple):
    """Commands over time: ``time`` (n,) s, ``position`` (n, 3) m in ``world``, widths (n,) m."""

    time: np.ndarray
    position: np.ndarray
    gripper_width: np.ndarray


class Replay:
    """Send the arm through recorded targets, at the pace of the recording."""

    Settings = ReplaySettings

    def __init__(self, settings: ReplaySettings) -> None:
        self._recording = load(settings)
        self.reset(AttemptContext())

    @staticmethod
    def files(settings: ReplaySettings) -> list[Path]:
        """List what decides its behaviour.

        :raises StationError: POLICY_BAD_PARAMETER, when there is no such recording.
        """
        source = _source(settings)
        return [source] if source.is_file() else [_trial_json(source), *_bag_files(source)]

    @staticmethod
    def reads(settings: ReplaySettings) -> list[Path]:
        """List what its process must see.

        :raises StationError: POLICY_BAD_PARAMETER, when there is no such recording.
        """
        source = _source(settings)
        return [source] if source.is_file() else [_trial_json(source), _bag(source)]

    def reset(self, context: AttemptContext) -> None:
        """Begin an attempt."""
        self._goal = context.goal_position
        self._period = 1.0 / context.control_rate
        self._elapsed = 0.0

    def step(self, features: Features) -> Action:
        """Decide one control period."""
        time, position, width = self._recording
        # half a period early: a recording at the same rate is followed step by step
        index = int(np.searchsorted(time, self._elapsed + self._period / 2.0, side='right')) - 1
        done = self._elapsed > time[-1] + self._period / 2.0
        self._elapsed += self._period
        return Action(
            position=position[max(0, index)] - self._goal,
            gripper_width=float(width[max(0, index)]),
            done=bool(done),
        )


def load(settings: ReplaySettings) -> Recording:
    """Read the recording that the settings name.

    :raises StationError: POLICY_BAD_PARAMETER, when there is none, or it is not one.
    """
    source = _source(settings)
    try:
        recording = _from_file(source) if source.is_file() else _from_bag(source, settings)
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise _refusal(f'{source} cannot be replayed: {error}') from error
    count = len(recording.time)
    if (
        count == 0
        or recording.position.shape != (count, 3)
        or recording.gripper_width.shape != (count,)
        or not all(np.isfinite(part).all() for part in recording)
    ):
        raise _refusal(f'{source} holds {count} commands, not all of them whole')
    return recording


def _from_file(source: Path) -> Recording:
    with np.load(source, allow_pickle=False) as data:
        return Recording(*(np.asarray(data[name], dtype=float) for name in Recording._fields))


def _from_bag(source: Path, settings: ReplaySettings) -> Recording:
    from rosbags.highlevel import AnyReader
    from rosbags.typesys import get_typestore, Stores

    attempt = json.loads(_trial_json(source).read_text('utf-8'))['attempts'][settings.attempt - 1]
    topics = (f'command/{settings.arm}/target_pose', f'command/{settings.arm}/gripper/command')
    series: dict[str, dict[int, np.ndarray]] = {topic: {} for topic in topics}
    store = get_typestore(Stores.ROS2_JAZZY)
    with AnyReader([_bag(source)], default_typestore=store) as reader:
        chosen = [c for c in reader.connections if c.topic.endswith(topics)]
        if len(chosen) < len(topics):
            raise ValueError(f'the bag lacks {" or ".join(topics)}')
        for connection, _, raw in reader.messages(connections=chosen):
            message = reader.deserialize(raw, connection.msgtype)
            stamp = message.header.stamp.sec * 10**9 + message.header.stamp.nanosec
            if stamp >= attempt['start_ns']:
                topic = next(topic for topic in topics if connection.topic.endswith(topic))
                series[topic][stamp] = _values(message)
    poses, widths = (series[topic] for topic in topics)
    stamps = sorted(set(poses) & set(widths))[: attempt['steps']]
    return Recording(
        (np.array(stamps) - (stamps[0] if stamps else 0)) * 1e-9,
        np.array([poses[stamp] for stamp in stamps]),
        np.array([float(widths[stamp][0]) for stamp in stamps]),
    )


def _values(message: object) -> np.ndarray:
    """Return the position of a pose, or of a gripper command."""
    if hasattr(message, 'pose'):
        position = message.pose.position
        return np.array([position.x, position.y, position.z])
    return np.asarray(message.position, dtype=float)


def _source(settings: ReplaySettings) -> Path:
    source = Path(settings.source).expanduser().absolute()
    if not settings.source or not source.exists():
        raise _refusal(
            f'replay.source = {settings.source!r} is no trial, bag or .npz file; '
            '`enpire trials` lists the trials'
        )
    return source


def _bag(source: Path) -> Path:
    return source if (source / 'metadata.yaml').is_file() else source / 'bag'


def _bag_files(source: Path) -> list[Path]:
    files = sorted(_bag(source).glob('*.mcap'))
    if not files:
        raise _refusal(f'{_bag(source)} holds no .mcap file')
    return files


def _trial_json(source: Path) -> Path:
    path = _bag(source).parent / 'trial.json'
    if not path.is_file():
        raise _refusal(f'{path} is missing: without it nobody knows when the attempt began')
    return path


def _refusal(message: str) -> StationError:
    return StationError(ErrorCode.POLICY_BAD_PARAMETER, message)
