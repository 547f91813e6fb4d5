"""One step of soft actor-critic, beside one that is spelled out with torch's own parts."""

import copy

import pytest
import torch
from torch import nn
from torch.distributions import Normal, TransformedDistribution
from torch.distributions.transforms import TanhTransform

from enpire_nodes.improvement.fast.sac_step import SAC, sac_step, SACSettings
from enpire_nodes.improvement.fast.sampling import Batch

OBSERVATIONS, ACTIONS, BATCH = 5, 2, 32


def _batch():
    return Batch(
        torch.randn(BATCH, OBSERVATIONS),
        torch.rand(BATCH, ACTIONS) * 2 - 1,
        torch.randn(BATCH),
        torch.randn(BATCH, OBSERVATIONS),
        0.99 * torch.randint(0, 2, (BATCH,)),
    )


def _mlp(mlp, row):
    parts = mlp.unpack(row.detach())
    layers = []
    for weight, bias in zip(parts[::2], parts[1::2], strict=True):
        layer = nn.Linear(weight.shape[1], weight.shape[0])
        layer.weight.data, layer.bias.data = weight.clone(), bias.clone()
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers[:-1]).double()


def _flat(network):
    return torch.cat([weight.detach().flatten() for weight in network.parameters()]).float()


def _policy(actor, observation):
    mean, log_sd = actor(observation).chunk(2, -1)
    return (
        TransformedDistribution(
            Normal(mean, log_sd.clamp(-20, 2).exp()), TanhTransform(cache_size=1)
        ),
        mean,
        log_sd.clamp(-20, 2).exp(),
    )


def _sample(actor, observation, noise):
    policy, mean, sd = _policy(actor, observation)
    transform = policy.transforms[0]
    action = transform(mean + sd * noise)
    return action, policy.log_prob(action).sum(-1)


def test_steps_as_the_textbook_does():
    torch.manual_seed(4)
    sac = SAC(OBSERVATIONS, ACTIONS, SACSettings(hidden=(32, 16), rate=1e-3, polyak=0.1))
    actor = _mlp(sac.actor, sac.actor.weights[0])
    critics = nn.ModuleList(_mlp(sac.critic, row) for row in sac.critic.weights)
    targets = copy.deepcopy(critics)
    log_temperature = torch.zeros((), dtype=torch.float64, requires_grad=True)
    optimizers = [
        torch.optim.Adam(group, 1e-3)
        for group in (critics.parameters(), actor.parameters(), [log_temperature])
    ]

    for _ in range(3):
        batch, (noise, members) = _batch(), sac.draw(1, BATCH)
        critic_loss, actor_loss = sac_step(sac, batch, noise[0], members[0])

        first, action, reward, then, discount = (field.double() for field in batch)
        alpha = log_temperature.exp().detach()
        with torch.no_grad():
            next_action, density = _sample(actor, then, noise[0, 0].double())
            pair = torch.cat([then, next_action], -1)
            value = torch.minimum(*(target(pair)[:, 0] for target in targets))
            goal = reward + discount * (value - alpha * density)
        pair = torch.cat([first, action], -1)
        loss = sum(0.5 * (critic(pair)[:, 0] - goal).square().mean() for critic in critics)
        critics.zero_grad()
        loss.backward()
        optimizers[0].step()
        torch.testing.assert_close(critic_loss.double(), loss.detach(), rtol=1e-4, atol=1e-5)

        action, density = _sample(actor, first, noise[0, 1].double())
        pair = torch.cat([first, action], -1)
        value = torch.minimum(*(critic(pair)[:, 0] for critic in critics))
        loss = (alpha * density - value).mean()
        actor.zero_grad()
        loss.backward()
        optimizers[1].step()
        torch.testing.assert_close(actor_loss.double(), loss.detach(), rtol=1e-4, atol=1e-5)

        optimizers[2].zero_grad()
        (-log_temperature * (density.detach() - ACTIONS)).mean().backward()
        optimizers[2].step()
        with torch.no_grad():
            for target, critic in zip(targets.parameters(), critics.parameters(), strict=True):
                target.lerp_(critic, 0.1)

    near = {'rtol': 1e-3, 'atol': 1e-5}
    torch.testing.assert_close(sac.actor.weights[0].detach(), _flat(actor), **near)
    for member, (critic, target) in enumerate(zip(critics, targets, strict=True)):
        torch.testing.assert_close(sac.critic.weights[member].detach(), _flat(critic), **near)
        torch.testing.assert_close(sac.target[member], _flat(target), **near)
    torch.testing.assert_close(sac.log_temperature.detach(), log_temperature.detach().float())


@pytest.mark.parametrize(
    'settings',
    [
        SACSettings(hidden=(32, 32), critics=10, subset=2, layer_norm=True),
        SACSettings(hidden=(32, 32), bfloat16=True),
    ],
)
def test_learns_which_action_is_rewarded(settings):
    torch.manual_seed(5)
    sac = SAC(OBSERVATIONS, ACTIONS, settings)
    sac.actor_adam.rate = sac.critic_adam.rate = sac.temperature_adam.rate = 3e-3
    noise, members = sac.draw(500, BATCH)
    assert all(len(set(row.tolist())) == len(row) for row in members)
    for one, chosen in zip(noise, members, strict=True):
        batch = _batch()
        reward = -4.0 * (batch.action - 0.5).square().sum(-1)
        batch = batch._replace(reward=reward, discount=torch.zeros(BATCH))
        sac_step(sac, batch, one, chosen)

    action, _ = sac.act(torch.randn(200, OBSERVATIONS), torch.zeros(200, ACTIONS))
    assert (action.mean(0) - 0.5).abs().max() < 0.2


def test_a_target_entropy_of_zero_is_kept():
    assert SAC(5, 2, SACSettings(target_entropy=0.0)).target_entropy == 0.0
    assert SAC(5, 2, SACSettings()).target_entropy == -2.0
