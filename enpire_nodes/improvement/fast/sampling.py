"""Transitions in one block of memory, from which the batches of many updates are taken at once."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from enpire_nodes.common.errors import ErrorCode, StationError


class Batch(NamedTuple):
    """Transitions; the leading dimensions of all fields are the same.

    :param observation: (..., observations).
    :param action: (..., actions).
    :param reward: (...,) summed up to ``next_observation`` where it is several steps ahead.
    :param next_observation: (..., observations).
    :param discount: (...,) what the value of ``next_observation`` counts: 0 where the episode
        ended in success or failure, and not 0 where only the time was up.
    """

    observation: Tensor
    action: Tensor
    reward: Tensor
    next_observation: Tensor
    discount: Tensor


class ReplayTensor:
    """Holds up to ``capacity`` transitions, then replaces the oldest.

    :param device: where the block lies.
    """

    def __init__(
        self,
        capacity: int,
        observations: int,
        actions: int,
        *,
        device: torch.device | str = 'cpu',
    ) -> None:
        self._widths = [observations, actions, 1, observations, 1]
        self._rows = torch.zeros(capacity, sum(self._widths), device=device)
        self._next = self._size = 0

    def __len__(self) -> int:
        return self._size

    def add(self, batch: Batch) -> None:
        """Append transitions, (n, ...) each; of more than the capacity the last ones stay.

        :raises StationError: IMPROVEMENT_REPLAY_UNREADABLE, a figure is not finite: it would
            spoil every network that learns of it.
        """
        fields = [
            field.reshape(len(batch.reward), width)
            for field, width in zip(batch, self._widths, strict=True)
        ]
        rows = torch.cat(fields, dim=1).to(self._rows)[-len(self._rows) :]
        if not torch.isfinite(rows).all():
            raise StationError(
                ErrorCode.IMPROVEMENT_REPLAY_UNREADABLE,
                'a transition has a figure that is not finite; look at how it was recorded',
            )
        places = (self._next + torch.arange(len(rows))) % len(self._rows)
        self._rows[places] = rows
        self._next = (self._next + len(rows)) % len(self._rows)
        self._size = min(self._size + len(rows), len(self._rows))

    def sample(self, updates: int, size: int, generator: torch.Generator | None = None) -> Tensor:
        """Draw batches uniformly, with replacement.

        :returns: (updates, size, width), of which :meth:`split` makes a :class:`Batch`.
        :raises StationError: IMPROVEMENT_REPLAY_UNREADABLE, there is nothing to draw from.
        """
        if not self._size:
            raise StationError(
                ErrorCode.IMPROVEMENT_REPLAY_UNREADABLE,
                'there is no transition to learn from; run trials or record demonstrations first',
            )
        picks = torch.randint(self._size, (updates * size,), generator=generator)
        rows = self._rows.index_select(0, picks.to(self._rows.device))
        return rows.view(updates, size, -1)

    def split(self, rows: Tensor) -> Batch:
        """Return views of the columns of ``rows``, (..., width)."""
        first, action, reward, then, discount = rows.split(self._widths, dim=-1)
        return Batch(first, action, reward.squeeze(-1), then, discount.squeeze(-1))


def sample_mixed(
    parts: list[tuple[ReplayTensor, int]],
    updates: int,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Draw batches of so many transitions from each replay, for example half from demonstrations.

    :param parts: replays of one shape, and how many transitions a batch has from each.
    :returns: (updates, sum of the sizes, width).
    """
    drawn = [replay.sample(updates, size, generator) for replay, size in parts if size]
    return drawn[0] if len(drawn) == 1 else torch.cat(drawn, dim=1)
