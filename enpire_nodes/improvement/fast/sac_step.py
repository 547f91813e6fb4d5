"""Soft actor-critic (Haarnoja et al. 2018, arXiv 1812.05905) made of the fast parts.

One step is one update of the critics, the actor, the temperature and the target critics, on one
batch: what ``gradient_steps=1`` is in stable-baselines3.
"""

from __future__ import annotations

from dataclasses import dataclass
import math

import torch
from torch import nn, Tensor
from torch.nn import functional

from enpire_nodes.improvement.fast.ensemble import EnsembleMLP
from enpire_nodes.improvement.fast.optimizer import Adam, polyak
from enpire_nodes.improvement.fast.sampling import Batch


@dataclass(frozen=True)
class SACSettings:
    """What a step depends on besides its networks.

    :param rate: learning rate of all optimizers.
    :param polyak: share by which the target critics follow at each step.
    :param target_entropy: of the policy, in nats; minus the number of actions if not given.
    :param critics: number of critics.
    :param subset: number of target critics, drawn anew for each step, of which the least counts
        (REDQ, arXiv 2101.05982); all if not given. With a subset the actor follows the mean of
        all critics, otherwise the least of them.
    :param bfloat16: multiply between the hidden layers in bfloat16; see :class:`EnsembleMLP`.
    """

    hidden: tuple[int, ...] = (256, 256)
    critics: int = 2
    subset: int | None = None
    layer_norm: bool = False
    bfloat16: bool = False
    rate: float = 3e-4
    polyak: float = 0.005
    target_entropy: float | None = None


class SAC(nn.Module):
    """The networks and optimizers of soft actor-critic. Actions are within (-1, 1)."""

    def __init__(self, observations: int, actions: int, settings: SACSettings) -> None:
        super().__init__()
        self.settings = settings
        self.actions = actions
        entropy = settings.target_entropy
        self.target_entropy = -float(actions) if entropy is None else entropy
        self.actor = EnsembleMLP(
            observations, settings.hidden, 2 * actions, bfloat16=settings.bfloat16
        )
        self.critic = EnsembleMLP(
            observations + actions,
            settings.hidden,
            1,
            ensemble=settings.critics,
            layer_norm=settings.layer_norm,
            bfloat16=settings.bfloat16,
        )
        self.register_buffer('target', self.critic.weights.detach().clone())
        self.log_temperature = nn.Parameter(torch.zeros(()))
        self.actor_adam = Adam(self.actor.weights, settings.rate)
        self.critic_adam = Adam(self.critic.weights, settings.rate)
        self.temperature_adam = Adam(self.log_temperature, settings.rate)

    def act(self, observation: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Sample actions.

        :param observation: (batch, observations).
        :param noise: (batch, actions) standard normal.
        :returns: actions, (batch, actions), and the logarithms of their densities, (batch,).
        """
        mean, log_sd = self.actor(observation)[0].chunk(2, dim=-1)
        log_sd = log_sd.clamp(-20.0, 2.0)
        raw = mean + log_sd.exp() * noise
        normal = -0.5 * noise.square() - log_sd - 0.5 * math.log(2.0 * math.pi)
        squash = 2.0 * (math.log(2.0) - raw - functional.softplus(-2.0 * raw))
        return torch.tanh(raw), (normal - squash).sum(-1)

    def value(self, observation: Tensor, action: Tensor, weights: Tensor) -> Tensor:
        """Evaluate critics of the given weights: (critics, batch)."""
        return self.critic(torch.cat([observation, action], dim=-1), weights).squeeze(-1)

    def draw(self, updates: int, size: int) -> tuple[Tensor, Tensor]:
        """Draw what is random in so many updates.

        :returns: noise (updates, 2, size, actions), target critics (updates, subset).
        """
        noise = torch.randn(updates, 2, size, self.actions)
        critics = torch.rand(updates, self.settings.critics).argsort(dim=1)
        return noise, critics[:, : self.settings.subset]


def sac_step(sac: SAC, batch: Batch, noise: Tensor, members: Tensor) -> tuple[Tensor, Tensor]:
    """Update everything once, in place.

    :param batch: (batch, ...) transitions.
    :param noise: (2, batch, actions) standard normal: of the next action and of the action.
    :param members: (subset,) indices of the target critics to use.
    :returns: losses of the critics and of the actor.
    """
    with torch.no_grad():
        temperature = sac.log_temperature.exp()
        next_action, next_density = sac.act(batch.next_observation, noise[0])
        all_members = sac.settings.subset is None
        target = sac.target if all_members else sac.target[members]
        next_value = sac.value(batch.next_observation, next_action, target).amin(0)
        goal = batch.reward + batch.discount * (next_value - temperature * next_density)

    critics = sac.critic.weights
    value = sac.value(batch.observation, batch.action, critics)
    critic_loss = 0.5 * (value - goal).square().mean(1).sum()
    sac.critic_adam.step(critics, *torch.autograd.grad(critic_loss, critics))

    action, density = sac.act(batch.observation, noise[1])
    value = sac.value(batch.observation, action, critics.detach())
    least = value.amin(0) if all_members else value.mean(0)
    actor_loss = (temperature * density - least).mean()
    sac.actor_adam.step(sac.actor.weights, *torch.autograd.grad(actor_loss, sac.actor.weights))

    excess = density.detach().mean() + sac.target_entropy
    sac.temperature_adam.step(sac.log_temperature, -excess)
    polyak(sac.target, critics, sac.settings.polyak)
    return critic_loss.detach(), actor_loss.detach()
