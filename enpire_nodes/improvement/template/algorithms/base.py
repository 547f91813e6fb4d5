"""What the algorithms share: an actor that can clone, and how a batch looks."""

from __future__ import annotations

from math import cos, pi
from typing import NamedTuple

import torch
from torch import nn, Tensor
from torch.nn import functional as F  # noqa: N812

from networks import Actor
from recipe import Recipe


class Batch(NamedTuple):
    """Transitions, as data.py describes them; the first ``shown`` rows are demonstrations."""

    observation: Tensor
    action: Tensor
    reward: Tensor
    following: Tensor
    discount: Tensor
    success: Tensor
    image: Tensor
    following_image: Tensor
    shown: int


class Algorithm(nn.Module):
    """An actor and how it learns.

    :param inputs: numbers in an observation.
    """

    #: Whether it goes on learning from the robot's own trials.
    online = False
    #: Whether behaviour cloning comes first.
    clones = True
    #: Whether it explores by its own randomness, and needs no noise on its actions.
    samples = False

    def __init__(self, recipe: Recipe, inputs: int) -> None:
        super().__init__()
        self.recipe = recipe
        self.actor = self.make_actor(recipe, inputs)
        self.actor_optimizer = self.optimizer(self.actor.parameters())

    @staticmethod
    def make_actor(recipe: Recipe, inputs: int) -> Actor:
        """Return an untrained actor."""
        return Actor(recipe, inputs)

    def optimizer(self, parameters: object) -> torch.optim.Optimizer:
        """Return AdamW at the recipe's learning rate."""
        rate = self.recipe.training.learning_rate
        return torch.optim.AdamW(parameters, lr=rate, weight_decay=1e-4, fused=True)

    def cool(self, done: float) -> None:
        """Lower the rate of behaviour cloning as its end comes near: half a cosine."""
        for group in self.cloner.param_groups:
            group['lr'] = self.recipe.training.learning_rate * 0.5 * (1.0 + cos(pi * done))

    @property
    def cloner(self) -> torch.optim.Optimizer:
        """The optimizer of behaviour cloning."""
        return self.actor_optimizer

    def clone(self, batch: Batch) -> dict[str, float]:
        """Take one step of the actor towards the actions of a batch."""
        action = self.actor.act(self.actor.see(batch.observation, batch.image))
        loss = F.mse_loss(action, batch.action.clamp(-0.99, 0.99))
        step(self.actor_optimizer, loss)
        return {'cloning': loss.item()}

    def after_cloning(self) -> None:
        """Get ready for what follows behaviour cloning."""

    def update(self, batch: Batch) -> dict[str, float]:
        """Take one step; return what to draw as curves."""
        raise NotImplementedError

    def new_trial(self) -> None:
        """Hear that a trial of the robot has come in."""


def step(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    """Take one step down the gradient of a loss."""
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
