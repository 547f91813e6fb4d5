"""What the learner draws its batches from: demonstrations, and everything the robot has done."""

from __future__ import annotations

import torch
from torch import Tensor

from algorithms.base import Batch
from data import Transitions

_NUMBERS = ('observation', 'action', 'reward', 'following', 'discount')
_PICTURES = ('image', 'following_image')


class Pool:
    """Transitions on one device, to draw from at random; it grows as needed.

    The numbers of a transition are one row, so that a batch is drawn at once.

    :param device: of the tensors.
    """

    def __init__(self, device: torch.device) -> None:
        self._device, self._count = device, 0
        self._tensors: dict[str, Tensor] = {}
        self.widths: list[int] = []

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, name: str) -> Tensor:
        """Return (n, width) of one of the ``_NUMBERS`` of all transitions."""
        columns = self._tensors['numbers'][: self._count].split(self.widths, dim=1)
        return columns[_NUMBERS.index(name)]

    def add(self, new: Transitions) -> None:
        """Take transitions in."""
        numbers = [torch.from_numpy(getattr(new, name)).reshape(len(new), -1) for name in _NUMBERS]
        self.widths = [part.shape[1] for part in numbers]
        pictures = {name: torch.from_numpy(getattr(new, name)) for name in _PICTURES}
        total = self._count + len(new)
        for name, values in {'numbers': torch.cat(numbers, dim=1), **pictures}.items():
            have = self._tensors.get(name)
            if have is None or total > len(have):
                shape = (max(1024, 2 * total), *values.shape[1:])
                grown = torch.zeros(shape, dtype=values.dtype, device=self._device)
                if have is not None:
                    grown[: self._count] = have[: self._count]
                self._tensors[name] = grown
            self._tensors[name][self._count : total] = values.to(self._device)
        self._count = total

    def draw(self, count: int) -> list[Tensor]:
        """Return numbers and pictures of ``count`` transitions drawn with replacement."""
        rows = torch.randint(self._count, (count,), device=self._device)
        return [
            each.index_select(0, rows) if each.numel() else each[:count]
            for each in self._tensors.values()
        ]


def mixed(shown: Pool, own: Pool, count: int, share: float) -> Batch:
    """Return a batch of which a share are demonstrations, as far as there are both."""
    first = count if not len(own) else round(count * share) if len(shown) else 0
    drawn = [pool.draw(n) for pool, n in ((shown, first), (own, count - first)) if n]
    numbers, *pictures = drawn[0] if len(drawn) == 1 else map(torch.cat, zip(*drawn, strict=True))
    widths = (shown if len(shown) else own).widths
    observation, action, reward, following, discount = numbers.split(widths, dim=1)
    return Batch(
        observation,
        action,
        reward.squeeze(1),
        following,
        discount.squeeze(1),
        *pictures,
        shown=torch.arange(count, device=numbers.device) < first,
    )
