"""From recorded trials to transitions that an algorithm learns from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields

import numpy as np

from action import recorded_actions
from enpire_nodes.improvement import RecordedAttempt, RecordedTrial
from observation import Encoder
from recipe import Recipe

_ALMOST = 0.2  # s before the policy's own time limit that count as having reached it


@dataclass(frozen=True)
class Transitions:
    """What happened in ``n`` decisions.

    :param observation: (n, size), ``following`` likewise, after the action.
    :param action: (n, 3 * chunk), in [-1, 1].
    :param reward: (n,) summed over the chunk.
    :param discount: (n,) of the value of what follows; 0 where the attempt truly ended. Where it
        was cut off (time, fault) it is not 0: time-outs bootstrap.
    :param image: (n, cameras, size, size, 3) uint8, ``following_image`` likewise; empty without.
    """

    observation: np.ndarray
    action: np.ndarray
    reward: np.ndarray
    following: np.ndarray
    discount: np.ndarray
    image: np.ndarray
    following_image: np.ndarray

    def __len__(self) -> int:
        return len(self.reward)

    @classmethod
    def join(cls, parts: Iterable[Transitions]) -> Transitions:
        """Return all of them as one."""
        parts = list(parts)
        return cls(
            **{
                item.name: np.concatenate([getattr(part, item.name) for part in parts])
                for item in fields(cls)
            }
        )


def is_demonstration(controller: str, success: bool, recipe: Recipe) -> bool:
    """Tell whether a trial shows how the task is done."""
    named = {name.strip() for name in recipe.data.demonstrators.split(',')}
    return success and controller in named


def transitions(trial: RecordedTrial, recipe: Recipe) -> Transitions | None:
    """Return the decisions of a trial; None when no policy ran in it."""
    encoder = Encoder(recipe.observation, recipe.action.time_limit)
    parts = []
    for attempt in trial.attempts:
        encoder.begin(attempt.index)
        parts += _of_attempt(attempt, encoder, recipe)
        encoder.end()
    return Transitions.join(parts) if parts else None


def _of_attempt(
    attempt: RecordedAttempt, encoder: Encoder, recipe: Recipe
) -> Iterator[Transitions]:
    features, settings = attempt.features, recipe.action
    rows = len(attempt.stamps)
    encoded = np.stack(
        [encoder({name: values[row] for name, values in features.items()}) for row in range(rows)]
    )
    if rows < 2:
        return
    times = np.unique([*range(0, rows - 1, settings.periods), rows - 1])
    actions = recorded_actions(features, times, settings)
    count, chunk = len(actions), settings.chunk
    padded = np.concatenate([actions, np.zeros((chunk - 1, 3), np.float32)])
    begins, ends = np.arange(count), np.minimum(np.arange(count) + chunk, count)
    last = ends == count
    gamma, cost = recipe.training.discount, recipe.data.step_cost
    discount = gamma ** (ends - begins).astype(np.float32)
    if _truly_ended(attempt, settings.time_limit):
        discount = discount * ~last
    steps = ends - begins
    spent = cost * (steps if gamma == 1.0 else (1.0 - gamma**steps) / (1.0 - gamma))
    reward = np.where(last & attempt.success, gamma ** (steps - 1), 0.0) - spent
    image = _images(attempt, times, recipe)
    yield Transitions(
        observation=encoded[times[begins]],
        action=np.stack([padded[b : b + chunk].ravel() for b in begins]),
        reward=reward.astype(np.float32),
        following=encoded[times[ends]],
        discount=discount.astype(np.float32),
        image=image[begins],
        following_image=image[ends],
    )


def _truly_ended(attempt: RecordedAttempt, time_limit: float) -> bool:
    if attempt.success:
        return True
    late = float(attempt.features['elapsed'][-1, 0]) >= time_limit - _ALMOST
    return attempt.verdict == 'failure' and not (attempt.timed_out or attempt.aborted or late)


def _images(attempt: RecordedAttempt, times: np.ndarray, recipe: Recipe) -> np.ndarray:
    size = recipe.observation.images
    if not size:
        return np.zeros((len(times), 0, 0, 0, 3), np.uint8)
    return attempt.pictures(size)[times]
