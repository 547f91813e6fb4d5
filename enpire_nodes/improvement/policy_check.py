"""Weights are tried on what the robot has seen before they come near it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.controllers.interface import AttemptContext
from enpire_nodes.rollout.policy.wire import action_message, action_of


def check_policy(
    policy: Any, rows: Iterable[Mapping[str, np.ndarray]], *, attempts: int = 2
) -> None:
    """Run a policy over recorded features, and over the same ones with large errors.

    :param policy: with ``reset`` and ``step``, as a workspace's ``policy.py`` makes it.
    :param rows: features of consecutive control periods.
    :param attempts: how often; the second one finds what is remembered of the first.
    :raises StationError: IMPROVEMENT_POLICY_REFUSED, it raised, or an action is not finite or of
        another shape than (3,).
    """
    rng, rows = np.random.default_rng(0), list(rows)
    for attempt in range(1, attempts + 1):
        try:
            policy.reset(AttemptContext(attempt=attempt, seed=attempt, explore=attempt > 1))
            for row in rows:
                features = row if attempt == 1 else _disturbed(row, rng)
                action_of(action_message(0, policy.step(features)))
        except StationError as error:
            raise StationError(ErrorCode.IMPROVEMENT_POLICY_REFUSED, error.message) from error
        except Exception as error:
            raise StationError(
                ErrorCode.IMPROVEMENT_POLICY_REFUSED,
                f'the policy raised {type(error).__name__}: {error}',
            ) from error


def _disturbed(row: Mapping[str, np.ndarray], rng: np.random.Generator) -> dict[str, np.ndarray]:
    return {
        name: values
        if values.dtype == np.uint8
        else values * (1.0 + 0.5 * rng.standard_normal(values.shape))
        for name, values in row.items()
    }
