"""What the learner draws its batches from: demonstrations, and everything the robot has done."""

from __future__ import annotations

from dataclasses import fields

import torch
from torch import Tensor

from algorithms.base import Batch
from data import Transitions

_NAMES = tuple(item.name for item in fields(Transitions))


class Pool:
    """Transitions on one device, to draw from at random; it grows as needed.

    :param device: of the tensors.
    """

    def __init__(self, device: torch.device) -> None:
        self._device, self._count = device, 0
        self._tensors: dict[str, Tensor] = {}

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, name: str) -> Tensor:
        """Return all that is known of one field of the transitions."""
        return self._tensors[name][: self._count]

    def add(self, new: Transitions) -> None:
        """Take transitions in."""
        total = self._count + len(new)
        for name in _NAMES:
            values = torch.from_numpy(getattr(new, name)).to(self._device)
            have = self._tensors.get(name)
            if have is None or total > len(have):
                grown = values.new_zeros(max(1024, 2 * total), *values.shape[1:])
                if have is not None:
                    grown[: self._count] = have[: self._count]
                self._tensors[name] = grown
            self._tensors[name][self._count : total] = values
        self._count = total

    def draw(self, count: int) -> tuple[Tensor, ...]:
        """Return ``count`` transitions drawn with replacement, field by field."""
        rows = torch.randint(self._count, (count,), device=self._device)
        return tuple(self._tensors[name][rows] for name in _NAMES)


def mixed(shown: Pool, own: Pool, count: int, share: float) -> Batch:
    """Return a batch of which a share are demonstrations, as far as there are both."""
    first = count if not len(own) else round(count * share) if len(shown) else 0
    if first == count:
        return Batch(*shown.draw(count), shown=count)
    if first == 0:
        return Batch(*own.draw(count), shown=0)
    pairs = zip(shown.draw(first), own.draw(count - first), strict=True)
    return Batch(*(torch.cat(pair) for pair in pairs), shown=first)
