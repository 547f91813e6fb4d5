"""The networks: textbook perceptrons, squashed Gaussian actors, ensembles of critics."""

from __future__ import annotations

import torch
from torch import nn, Tensor
from torch.nn import functional as F  # noqa: N812 - everybody's name for it

from enpire_nodes.improvement.fast import EnsembleMLP
from eyes import make_eyes
from recipe import Recipe, Training

_LOG_STD = (-5.0, 1.0)


def mlp(
    training: Training, inputs: int, outputs: int, *, members: int = 1, norm: bool = False
) -> EnsembleMLP:
    """Return perceptrons with ReLU, and LayerNorm before it if wanted; see its docstring."""
    return EnsembleMLP(
        inputs,
        [training.hidden] * training.layers,
        outputs,
        ensemble=members,
        layer_norm=norm,
        bfloat16=training.bfloat16,
    )


class Actor(nn.Module):
    """A Gaussian policy, squashed to [-1, 1] (Haarnoja et al., 2018).

    :param inputs: numbers in an observation.
    :param norm: layer-normalize it.
    """

    def __init__(self, recipe: Recipe, inputs: int, *, norm: bool = True) -> None:
        super().__init__()
        self.noise = recipe.observation.noise
        self.register_buffer('mean', torch.zeros(inputs))
        self.register_buffer('std', torch.ones(inputs))
        self.eyes = make_eyes(recipe.observation)
        self.seen = inputs + self.eyes.outputs
        self.body = mlp(recipe.training, self.seen, 6 * recipe.action.chunk, norm=norm)

    def normalize(self, observation: Tensor) -> None:
        """Take the scale of the inputs from (n, inputs) observations."""
        self.mean.copy_(observation.mean(0))
        self.std.copy_(observation.std(0).clamp_min(0.05))

    def see(self, observation: Tensor, image: Tensor) -> Tensor:
        """Return what actor and critics decide by: normalized inputs, and what the eyes see.

        :param image: (n, cameras, size, size, 3) uint8; of no cameras where there are no pictures.
        """
        scaled = ((observation - self.mean) / self.std).clamp(-5.0, 5.0)
        if self.training and self.noise:
            scaled = scaled + self.noise * torch.randn_like(scaled)
        return torch.cat([scaled, self.eyes(image)], dim=-1) if self.eyes.outputs else scaled

    def forward(self, seen: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and logarithm of the standard deviation before squashing."""
        mean, log_std = self.body(seen)[0].chunk(2, dim=-1)
        low, high = _LOG_STD
        return mean, low + 0.5 * (high - low) * (torch.tanh(log_std) + 1.0)

    def sample(self, seen: Tensor) -> tuple[Tensor, Tensor]:
        """Return an action and its log-probability, differentiable."""
        mean, log_std = self(seen)
        noise = torch.randn_like(mean)
        raw = mean + noise * log_std.exp()
        log_prob = -0.5 * noise.square() - log_std - 0.9189385332046727
        log_prob = log_prob - 2.0 * (0.6931471805599453 - raw - F.softplus(-2.0 * raw))
        return torch.tanh(raw), log_prob.sum(-1)

    def act(self, seen: Tensor) -> Tensor:
        """Return the action without noise."""
        return torch.tanh(self(seen)[0])


class Critics(nn.Module):
    """An ensemble of value functions.

    :param inputs: numbers in what is seen and in an action together.
    """

    def __init__(self, recipe: Recipe, inputs: int) -> None:
        super().__init__()
        training = recipe.training
        self.members = mlp(training, inputs, 1, members=training.critics, norm=training.layer_norm)

    def forward(self, seen: Tensor, action: Tensor, weights: Tensor | None = None) -> Tensor:
        """Return the (critics, n) values of actions, by their own weights or by others."""
        return self.members(torch.cat([seen, action], dim=-1), weights).squeeze(-1)

    def frozen(self, seen: Tensor, action: Tensor) -> Tensor:
        """Return the values, of which only the action can be learned from."""
        return self(seen, action, self.members.weights.detach())

    def few(self, seen: Tensor, action: Tensor, count: int) -> Tensor:
        """Return the (count, n) values of as many of them, drawn at random."""
        weights = self.members.weights
        if count < len(weights):
            weights = weights[torch.randperm(len(weights), device=weights.device)[:count]]
        return self(seen, action, weights)
