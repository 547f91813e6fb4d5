"""The frames of an episode: one for each control period in which the policy acted.

An attempt of ``n`` periods has ``n`` frames, as LeRobot has them: what was seen and what was done
then. The row after the last action is kept apart, in ``meta/enpire_ends.parquet``, so that no
frame has an action that was never taken.
"""

from __future__ import annotations

import numpy as np

from enpire_nodes.improvement.lerobot import layout
from enpire_nodes.improvement.lerobot.shape import Shape
from enpire_nodes.improvement.recorded import RecordedAttempt


def actions(target: np.ndarray) -> np.ndarray:
    """Return (n, 3) m of (n + 1, 3): the displacement of each period, as it was executed."""
    return np.diff(np.asarray(target, dtype=np.float32), axis=0)


def columns(
    attempt: RecordedAttempt, shape: Shape, *, episode: int, first: int
) -> dict[str, np.ndarray]:
    """Return the columns of an episode but for its pictures, (n,) or (n, size) each.

    The reward is 1 in the last frame of a success, and 0 otherwise. ``next.done`` is true in the
    last frame; ``next.truncated`` too, when time was up or a fault or a person ended the attempt.

    :param episode: its number in the dataset.
    :param first: number of its first frame.
    """
    n = attempt.steps
    last = np.arange(n) == n - 1
    success = last & attempt.success
    return {
        layout.STATE: shape.state(attempt.features)[:n],
        layout.ACTION: actions(attempt.features['target']),
        layout.REWARD: success.astype(np.float32),
        layout.DONE: last,
        layout.TRUNCATED: last & (attempt.timed_out or attempt.aborted),
        layout.SUCCESS: success,
        layout.STAMP: np.asarray(attempt.stamps[:n], dtype=np.float64),
        'timestamp': (np.arange(n) / shape.rate).astype(np.float32),
        'frame_index': np.arange(n),
        'episode_index': np.full(n, episode),
        'index': np.arange(first, first + n),
        'task_index': np.zeros(n, dtype=np.int64),
    }
