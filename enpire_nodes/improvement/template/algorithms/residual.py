"""Residual reinforcement learning: a small learned correction of a policy that stays as it is.

The base is behaviour cloning, frozen once it is trained; what is learned by reward is added to its
actions (Johannink et al., 2019; Silver et al., 2018) and kept small.
"""

from __future__ import annotations

from torch import Tensor

from algorithms.base import Batch
from algorithms.bc_rl import BcRl
from enpire_nodes.improvement.fast import AdamW, translated
from networks import Actor
from recipe import Recipe


class CorrectedActor(Actor):
    """The base, and a correction of at most ``residual_reach``."""

    def __init__(self, recipe: Recipe, inputs: int) -> None:
        super().__init__(recipe, inputs)
        self.base = Actor(recipe, inputs)
        self.reach = recipe.training.residual_reach
        self.body.zero_last()

    def normalize(self, observation: Tensor) -> None:
        """Take the scale of the inputs; the base has the same."""
        super().normalize(observation)
        self.base.normalize(observation)

    def correction(self, seen: Tensor) -> Tensor:
        """Return what is added to the action of the base."""
        return self.reach * super().act(seen)

    def act(self, seen: Tensor) -> Tensor:
        """Return the corrected action."""
        return (self.base.act(seen) + self.correction(seen)).clamp(-1.0, 1.0)


class Residual(BcRl):
    """Learns the correction."""

    actor: CorrectedActor

    @staticmethod
    def make_actor(recipe: Recipe, inputs: int) -> CorrectedActor:
        """Return an untrained actor."""
        return CorrectedActor(recipe, inputs)

    def __init__(self, recipe: Recipe, inputs: int) -> None:
        super().__init__(recipe, inputs)
        self.actor_optimizer = self.optimizer(self.actor.body.parameters())
        eyes = self.actor.eyes.parameters()
        self.base_optimizer = self.optimizer([*self.actor.base.body.parameters(), *eyes])
        # what the base sees by must not move under it: the critics take the eyes as they are
        self.critic_optimizer = self.optimizer(self.critics.parameters())

    @property
    def cloner(self) -> AdamW:
        """The optimizer of the base."""
        return self.base_optimizer

    @translated
    def clone(self, batch: Batch) -> dict[str, Tensor]:
        """Take one step of the base towards the actions of a batch."""
        action = self.actor.base.act(self.actor.see(batch.observation, batch.image))
        loss = (action - batch.action.clamp(-0.99, 0.99)).square().mean()
        self.base_optimizer.minimize(loss)
        return {'cloning': loss.detach()}

    def after_cloning(self) -> None:
        """Freeze the base."""
        super().after_cloning()
        self.actor.base.requires_grad_(False)
        self.actor.eyes.requires_grad_(False)

    def distance(self, seen: Tensor, action: Tensor, batch: Batch) -> Tensor:
        """Return how large the corrections are."""
        return self.actor.correction(seen).square().mean()
