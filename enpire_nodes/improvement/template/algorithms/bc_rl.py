"""Reinforcement learning that stays near the demonstrations: BC-regularized, offline to online.

The actor starts from behaviour cloning. Its loss is then that of TD3+BC (Fujimoto and Gu, 2021):
the value, scaled to unit size, against the distance to what was demonstrated. As in TD3
(Fujimoto et al., 2018) the actor is deterministic, learns half as often as the critics, and
explores by added noise; demonstrations fill their share of every batch as in RLPD.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor

from algorithms.base import Batch
from algorithms.rlpd import Rlpd
from enpire_nodes.improvement.fast import follow, translated
from recipe import Recipe

_SMOOTHING = (0.1, 0.2)  # sd and bound of the noise on the next action
_OWN_STATES = 0.2  # weight of imitation there, of that in demonstrated states
_SLOWER = 0.6  # of the learning rate, for an actor that has learned already


class BcRl(Rlpd):
    """Behaviour cloning that goes on with its own trials."""

    clones, samples = True, False
    actor_every = 2

    def __init__(self, recipe: Recipe, inputs: int) -> None:
        super().__init__(recipe, inputs)
        self.steady = copy.deepcopy(self.actor).requires_grad_(False)
        self.clone_of_demonstrations = copy.deepcopy(self.actor).requires_grad_(False)
        self.register_buffer('weight', torch.tensor(10.0 * recipe.training.bc_weight))

    def after_cloning(self) -> None:
        """Begin from the actor as behaviour cloning left it."""
        self.steady.load_state_dict(self.actor.state_dict())
        self.clone_of_demonstrations.load_state_dict(self.actor.state_dict())
        self.actor_optimizer.set_rate(_SLOWER * self.recipe.training.learning_rate)

    def new_trial(self) -> None:
        """Trust the demonstrations a little less, if the recipe says so."""
        self.weight *= self.recipe.training.bc_decay

    def next_action(self, following: Tensor) -> Tensor:
        """Return the action of the slow actor, smoothed."""
        sd, bound = _SMOOTHING
        action = self.steady.act(following)
        noise = (sd * torch.randn_like(action)).clamp(-bound, bound)
        return (action + noise).clamp(-1.0, 1.0)

    @translated
    def update_actor(self, batch: Batch) -> dict[str, Tensor]:
        """Move the actor towards higher value, and back towards what was demonstrated."""
        seen = self.actor.see(batch.observation, batch.image).detach()
        action = self.actor.act(seen)
        value = self.critics.frozen(seen, action).mean(0)
        distance = self.distance(seen, action, batch)
        loss = self.weight * distance - value.mean() / (value.abs().mean().detach() + 1e-3)
        self.actor_optimizer.minimize(loss)
        follow(self.steady, self.actor, self.recipe.training.polyak)
        return {'actor_loss': loss.detach(), 'cloning': distance.detach()}

    def distance(self, seen: Tensor, action: Tensor, batch: Batch) -> Tensor:
        """Return the mean squared distance to what was demonstrated, or would have been.

        Of states that only the robot has seen the demonstrations say nothing: there the clone
        speaks for them, with less weight. Without it the actor follows the errors of a young
        critic out of everything that is known.
        """
        with torch.no_grad():
            likely = self.clone_of_demonstrations.act(seen)
        shown = batch.shown.unsqueeze(-1)
        reference = torch.where(shown, batch.action.clamp(-0.99, 0.99), likely)
        weight = torch.where(shown, 1.0, _OWN_STATES)
        return 2.0 * ((action - reference).square() * weight).mean()
