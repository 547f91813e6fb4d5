"""Adam and Polyak averaging of a network that is one vector, written so that they compile.

``torch.optim.Adam`` does the same, but not inside a compiled update.
"""

from __future__ import annotations

import torch
from torch import nn, Tensor


class Adam(nn.Module):
    """Adam (Kingma and Ba, arXiv 1412.6980) for one tensor, as in ``torch.optim.Adam``.

    :param like: the tensor that will be stepped.
    :param rate: learning rate.
    """

    def __init__(
        self,
        like: Tensor,
        rate: float = 3e-4,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
    ) -> None:
        super().__init__()
        self.rate, self.betas, self.epsilon = rate, betas, epsilon
        self.register_buffer('count', torch.zeros((), device=like.device))
        self.register_buffer('mean', torch.zeros_like(like.detach()))
        self.register_buffer('square', torch.zeros_like(like.detach()))

    @torch.no_grad()
    def step(self, weights: Tensor, gradient: Tensor) -> None:
        """Change ``weights`` in place."""
        first, second = self.betas
        self.count += 1
        self.mean.lerp_(gradient, 1.0 - first)
        self.square.lerp_(gradient * gradient, 1.0 - second)
        rate = self.rate / (1.0 - first**self.count)
        scale = (1.0 - second**self.count).sqrt()
        weights.sub_(rate * self.mean / (self.square.sqrt() / scale + self.epsilon))


@torch.no_grad()
def polyak(target: Tensor, weights: Tensor, rate: float) -> None:
    """Move ``target`` towards ``weights`` by the share ``rate``, in place."""
    target.lerp_(weights, rate)
