"""AdamW and Polyak averaging, written so that they compile as part of an update.

``torch.optim.AdamW`` does the same, but not inside a compiled update.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn, Tensor


class Adam(nn.Module):
    """Adam (Kingma and Ba, arXiv 1412.6980) for one tensor, as in ``torch.optim.AdamW``.

    :param like: the tensor that will be stepped.
    :param decay: of the weights, decoupled (Loshchilov and Hutter, arXiv 1711.05101).
    """

    def __init__(
        self,
        like: Tensor,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
        decay: float = 0.0,
    ) -> None:
        super().__init__()
        self.betas, self.epsilon, self.decay = betas, epsilon, decay
        self.register_buffer('count', torch.zeros((), device=like.device))
        self.register_buffer('mean', torch.zeros_like(like.detach()))
        self.register_buffer('square', torch.zeros_like(like.detach()))

    @torch.no_grad()
    def step(self, weights: Tensor, gradient: Tensor, rate: Tensor | float) -> None:
        """Change ``weights`` in place, with this learning rate."""
        first, second = self.betas
        self.count += 1
        self.mean.lerp_(gradient, 1.0 - first)
        self.square.lerp_(gradient * gradient, 1.0 - second)
        scale = (1.0 - second**self.count).sqrt()
        ahead = self.mean / (self.square.sqrt() / scale + self.epsilon)
        weights.sub_(rate / (1.0 - first**self.count) * ahead + (rate * self.decay) * weights)


class AdamW(nn.Module):
    """Adam for the parameters of a network; its state is part of the module's state_dict.

    :param parameters: what is learned. One that a loss does not depend on stays as it is.
    :param rate: learning rate; :meth:`set_rate` changes it.
    :param decay: of the weights.
    """

    def __init__(
        self, parameters: Iterable[Tensor], rate: float = 3e-4, *, decay: float = 1e-4
    ) -> None:
        super().__init__()
        self.learned = list(parameters)
        self.adams = nn.ModuleList(Adam(one, decay=decay) for one in self.learned)
        self.register_buffer('rate', torch.tensor(rate))

    def set_rate(self, rate: float) -> None:
        """Learn at this rate from now on."""
        self.rate.fill_(rate)

    def minimize(self, loss: Tensor) -> None:
        """Take one step down the gradient of a loss."""
        gradients = torch.autograd.grad(loss, self.learned, allow_unused=True)
        for adam, weights, gradient in zip(self.adams, self.learned, gradients, strict=True):
            if gradient is not None:
                adam.step(weights, gradient, self.rate)


@torch.no_grad()
def follow(slow: nn.Module, fast: nn.Module, share: float) -> None:
    """Move the parameters of one network by a share of the way to those of another, in place."""
    for target, weights in zip(slow.parameters(), fast.parameters(), strict=True):
        target.lerp_(weights, share)
