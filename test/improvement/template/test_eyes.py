"""The encoders of pictures: none, a small network, and a frozen ResNet-18."""

from importlib import import_module

import pytest
import torch


@pytest.fixture
def eyes(workspace):
    return import_module('eyes')


@pytest.fixture
def settings(workspace):
    return workspace.recipe.Observation


def pictures(count, size, seed=0):
    generator = torch.Generator().manual_seed(seed)
    shape = (count, 2, size, size, 3)
    return torch.randint(256, shape, generator=generator, dtype=torch.uint8)


def test_without_pictures_nothing_is_seen(eyes, settings):
    blind = eyes.make_eyes(settings(images=0))
    assert blind.outputs == 0
    assert blind(torch.zeros(3, 0, 0, 0, 3, dtype=torch.uint8)).shape == (3, 0)


@pytest.mark.parametrize('size', [32, 64, 96])
def test_a_small_network_tells_pictures_apart(eyes, settings, size):
    torch.manual_seed(0)
    seeing = eyes.make_eyes(settings(images=size)).eval()
    first, second = seeing(pictures(4, size)), seeing(pictures(4, size, seed=1))
    assert first.shape == (4, seeing.outputs)
    assert not torch.allclose(first, second)
    assert torch.equal(first, seeing(pictures(4, size))), 'nothing is random but in training'


def test_pictures_are_shifted_only_while_it_learns(eyes, settings):
    torch.manual_seed(0)
    seeing = eyes.make_eyes(settings(images=32, shift=4)).train()
    assert not torch.equal(seeing(pictures(4, 32)), seeing(pictures(4, 32)))
    moved = eyes.shifted(torch.arange(64.0).reshape(1, 1, 8, 8), 2)
    assert moved.shape == (1, 1, 8, 8)
    assert set(moved.unique().tolist()) <= set(map(float, range(64)))


def test_a_small_network_learns_along(eyes, settings):
    torch.manual_seed(0)
    seeing = eyes.make_eyes(settings(images=32))
    seeing(pictures(2, 32)).square().mean().backward()
    assert all(parameter.grad is not None for parameter in seeing.parameters())


def torchvision_state(eyes):
    """Return a state dict with the names and shapes that torchvision gives a ResNet-18."""
    state = {}

    def norm(name, width):
        for part in ('weight', 'bias', 'running_mean', 'running_var'):
            state[f'{name}.{part}'] = torch.rand(width) + 0.5
        state[f'{name}.num_batches_tracked'] = torch.tensor(7)

    state['conv1.weight'] = torch.randn(64, 3, 7, 7) * 0.05
    norm('bn1', 64)
    before = 64
    for layer, width in enumerate((64, 128, 256, 512), start=1):
        for block in range(2):
            name = f'layer{layer}.{block}'
            state[f'{name}.conv1.weight'] = torch.randn(width, before, 3, 3) * 0.02
            norm(f'{name}.bn1', width)
            state[f'{name}.conv2.weight'] = torch.randn(width, width, 3, 3) * 0.02
            norm(f'{name}.bn2', width)
            if block == 0 and layer > 1:
                state[f'{name}.downsample.0.weight'] = torch.randn(width, before, 1, 1) * 0.05
                norm(f'{name}.downsample.1', width)
            before = width
    state['fc.weight'], state['fc.bias'] = torch.zeros(1000, 512), torch.zeros(1000)
    return state


def test_a_resnet_takes_the_weights_of_torchvision_and_keeps_them(eyes, settings, tmp_path):
    torch.manual_seed(0)
    state = torchvision_state(eyes)
    torch.save(state, tmp_path / 'resnet18.pth')
    chosen = settings(
        images=64, encoder='resnet18', encoder_weights=str(tmp_path / 'resnet18.pth')
    )
    seeing = eyes.make_eyes(chosen).train()
    loaded = seeing.encoder.state_dict()
    assert set(loaded) == {name for name in state if not name.startswith('fc.')}
    seeing(pictures(2, 64)).square().mean().backward()
    assert all(parameter.grad is None for parameter in seeing.encoder.parameters())
    assert all(parameter.grad is not None for parameter in seeing.squeeze.parameters())
    for name, values in seeing.encoder.state_dict().items():
        assert torch.equal(values, state[name]), f'{name} has changed'


def test_weights_of_another_network_are_refused(eyes, settings, tmp_path):
    torch.save({'conv1.weight': torch.zeros(3)}, tmp_path / 'other.pth')
    with pytest.raises(RuntimeError, match='Missing key'):
        eyes.frozen_resnet18(str(tmp_path / 'other.pth'))
