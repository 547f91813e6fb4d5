"""What the algorithms share: an actor that can clone, and how a batch looks."""

from __future__ import annotations

from collections.abc import Iterable
from math import cos, pi
from typing import NamedTuple

from torch import nn, Tensor
from torch.nn import functional as F  # noqa: N812

from enpire_nodes.improvement.fast import AdamW, translated
from networks import Actor
from recipe import Recipe


class Batch(NamedTuple):
    """Transitions, as data.py describes them; ``shown`` (n,) bool: it is a demonstration."""

    observation: Tensor
    action: Tensor
    reward: Tensor
    following: Tensor
    discount: Tensor
    image: Tensor
    following_image: Tensor
    shown: Tensor


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
        # Pictures are shifted one by one, which does not translate.
        self.compiles = recipe.training.compiled and not recipe.observation.images
        self.actor = self.make_actor(recipe, inputs)
        self.actor_optimizer = self.optimizer(self.actor.parameters())

    @staticmethod
    def make_actor(recipe: Recipe, inputs: int) -> Actor:
        """Return an untrained actor."""
        return Actor(recipe, inputs)

    def optimizer(self, parameters: Iterable[Tensor]) -> AdamW:
        """Return AdamW at the recipe's learning rate."""
        return AdamW(parameters, self.recipe.training.learning_rate, decay=1e-4)

    def cool(self, done: float) -> None:
        """Lower the rate of behaviour cloning as its end comes near: half a cosine."""
        rate = self.recipe.training.learning_rate
        self.cloner.set_rate(rate * 0.5 * (1.0 + cos(pi * done)))

    @property
    def cloner(self) -> AdamW:
        """The optimizer of behaviour cloning."""
        return self.actor_optimizer

    @translated
    def clone(self, batch: Batch) -> dict[str, Tensor]:
        """Take one step of the actor towards the actions of a batch."""
        action = self.actor.act(self.actor.see(batch.observation, batch.image))
        loss = F.mse_loss(action, batch.action.clamp(-0.99, 0.99))
        self.actor_optimizer.minimize(loss)
        return {'cloning': loss.detach()}

    def after_cloning(self) -> None:
        """Get ready for what follows behaviour cloning."""

    def update(self, batch: Batch) -> dict[str, Tensor]:
        """Take one step; return what to draw as curves."""
        raise NotImplementedError

    def new_trial(self) -> None:
        """Hear that a trial of the robot has come in."""
