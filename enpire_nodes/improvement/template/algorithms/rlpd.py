"""Soft actor-critic with demonstrations in half of every batch: RLPD (Ball et al., 2023).

Soft actor-critic (Haarnoja et al., 2018) with an ensemble of critics that are layer-normalized,
of which a random few are believed (REDQ, Chen et al., 2021). As RLPD does where rewards are
sparse, the value of what follows does not count entropy. Success is worth 1, and nothing more:
targets are clipped to what is possible.
"""

from __future__ import annotations

import copy

import torch
from torch import nn, Tensor
from torch.nn import functional as F  # noqa: N812

from algorithms.base import Algorithm, Batch
from enpire_nodes.improvement.fast import follow, translated
from networks import Critics
from recipe import Recipe


class Rlpd(Algorithm):
    """Learns from reward; demonstrations are experience like any other."""

    online, clones, samples = True, False, True
    #: Updates of the critics for one of the actor.
    actor_every = 1

    def __init__(self, recipe: Recipe, inputs: int) -> None:
        super().__init__(recipe, inputs)
        training, action = recipe.training, 3 * recipe.action.chunk
        self.critics = Critics(recipe, self.actor.seen + action)
        self.targets = copy.deepcopy(self.critics).requires_grad_(False)
        self.critic_optimizer = self.optimizer(
            [*self.critics.parameters(), *self.actor.eyes.parameters()]
        )
        self.log_alpha = nn.Parameter(torch.tensor(-4.0))
        self.alpha_optimizer = self.optimizer([self.log_alpha])
        self.target_entropy = -float(action)
        self.lowest = -recipe.data.step_cost / (1.0 - training.discount)
        self.register_buffer('updates', torch.tensor(0))

    def update(self, batch: Batch) -> dict[str, Tensor]:
        """Take one step of the critics, of their slow targets, and of the actor if it is due."""
        self.updates += 1
        curves = self.update_critics(batch)
        warm = self.updates > self.recipe.training.warm_up_updates
        if warm and self.updates % self.actor_every == 0:
            curves |= self.update_actor(batch)
        return curves

    @translated
    def update_critics(self, batch: Batch) -> dict[str, Tensor]:
        """Move the critics towards the reward and the value of what follows."""
        training = self.recipe.training
        with torch.no_grad():
            following = self.actor.see(batch.following, batch.following_image)
            action = self.next_action(following)
            values = self.targets.few(following, action, training.critics_in_target)
            target = batch.reward + batch.discount * values.amin(0)
            target = target.clamp(self.lowest, 1.0)
        values = self.critics(self.actor.see(batch.observation, batch.image), batch.action)
        loss = F.mse_loss(values, target.expand_as(values))
        self.critic_optimizer.minimize(loss)
        follow(self.targets, self.critics, training.polyak)
        return {'critic_loss': loss.detach(), 'value': values.detach().mean()}

    def next_action(self, following: Tensor) -> Tensor:
        """Return the action that the policy takes next, as the critics value it."""
        return self.actor.sample(following)[0]

    @translated
    def update_actor(self, batch: Batch) -> dict[str, Tensor]:
        """Move the actor towards actions of higher value, and keep some randomness."""
        seen = self.actor.see(batch.observation, batch.image).detach()
        action, log_prob = self.actor.sample(seen)
        value = self.critics.frozen(seen, action).mean(0)
        loss = (self.log_alpha.exp().detach() * log_prob - value).mean()
        self.actor_optimizer.minimize(loss)
        entropy = -log_prob.detach().mean()
        self.alpha_optimizer.minimize(self.log_alpha.exp() * (entropy - self.target_entropy))
        return {'actor_loss': loss.detach(), 'entropy': entropy}
