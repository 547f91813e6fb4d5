"""The ensemble, beside the same networks made of torch's own layers."""

import pytest
import torch
from torch import nn

from enpire_nodes.improvement.fast.ensemble import EnsembleMLP


def _plain(mlp, member):
    """Return one member as a plain torch network, with its weights."""
    layers = []
    parts = mlp.unpack(mlp.weights[member].detach())
    while parts:
        weight, bias = parts.pop(0), parts.pop(0)
        layer = nn.Linear(weight.shape[1], weight.shape[0])
        layer.weight.data, layer.bias.data = weight, bias
        layers.append(layer)
        if mlp.layer_norm and parts:
            norm = nn.LayerNorm(len(bias))
            norm.weight.data, norm.bias.data = parts.pop(0), parts.pop(0)
            layers.append(norm)
        if parts:
            layers.append(nn.ReLU())
    return nn.Sequential(*layers)


@pytest.mark.parametrize('layer_norm', [False, True])
@pytest.mark.parametrize(('ensemble', 'outputs'), [(1, 6), (2, 1), (5, 1)])
def test_values_and_gradients_are_those_of_plain_networks(ensemble, outputs, layer_norm):
    torch.manual_seed(1)
    mlp = EnsembleMLP(27, (64, 48), outputs, ensemble=ensemble, layer_norm=layer_norm)
    with torch.no_grad():
        mlp.weights += 0.1 * torch.randn_like(mlp.weights)
    x = torch.randn(33, 27)
    goal = torch.randn(ensemble, 33, outputs)

    values = mlp(x)
    (values - goal).square().mean().backward()

    plain = [_plain(mlp, member) for member in range(ensemble)]
    expected = torch.stack([network(x) for network in plain])
    (expected - goal).square().mean().backward()
    torch.testing.assert_close(values, expected, rtol=1e-4, atol=1e-5)
    for member, network in enumerate(plain):
        gradient = torch.cat([weight.grad.flatten() for weight in network.parameters()])
        torch.testing.assert_close(mlp.weights.grad[member], gradient, rtol=1e-3, atol=1e-6)


def test_other_weights_and_a_subset_of_members():
    mlp = EnsembleMLP(27, (32, 32), 1, ensemble=5)
    x = torch.randn(8, 27)
    other = torch.randn_like(mlp.weights)

    torch.testing.assert_close(mlp(x, other[[3, 1]]), mlp(x, other)[[3, 1]])
    assert not torch.allclose(mlp(x, other), mlp(x))


def test_members_begin_differently_and_within_the_bounds_of_linear():
    mlp = EnsembleMLP(25, (100,), 1, ensemble=2, layer_norm=True)
    weight, bias, scale, shift, last, _ = mlp.unpack(mlp.weights[0].detach())

    assert 0.19 < weight.abs().max() <= 0.2
    assert bias.abs().max() <= 0.2
    assert last.abs().max() <= 0.1
    assert (scale == 1.0).all()
    assert (shift == 0.0).all()
    assert not torch.equal(mlp.weights[0], mlp.weights[1])


def test_bfloat16_is_near_float32():
    torch.manual_seed(2)
    mlp = EnsembleMLP(27, (64, 64), 1, ensemble=2)
    x = torch.randn(256, 27)
    exact = mlp(x)
    mlp.bfloat16 = True

    assert (mlp(x) - exact).abs().max() < 0.02
    assert not torch.equal(mlp(x), exact)


def test_last_layer_can_begin_at_zero():
    network = EnsembleMLP(6, [16, 16], 2, ensemble=3, layer_norm=True)
    network.zero_last()

    assert (network(torch.randn(8, 6)) == 0.0).all()
    assert network.weights.abs().sum() > 0.0


def test_bfloat16_is_for_training_alone():
    torch.manual_seed(0)
    network, x = EnsembleMLP(32, [32, 32], 2, bfloat16=True), torch.randn(32, 32)
    rough = network(x)
    exact = network.eval()(x)
    network.bfloat16 = False

    assert not torch.equal(rough, exact)
    assert torch.equal(network.train()(x), exact)
