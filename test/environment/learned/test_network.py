"""The network without torch is the network that torch trained."""

import subprocess
import sys

import numpy as np
import pytest

from enpire_nodes.environment.learned.network import Architecture, Network, standardized

CROPS = np.random.default_rng(0).integers(0, 256, (5, 64, 64, 3)).astype(np.uint8)


def arrays(architecture, seed=0):
    rng = np.random.default_rng(seed)
    return {
        name: rng.normal(0.0, 0.1, shape).astype(np.float32)
        for name, shape in architecture.shapes().items()
    }


@pytest.mark.parametrize(
    'architecture',
    [Architecture(), Architecture(33, (4, 6), (3, 5), 8), Architecture(50, (5,), (7,), 3)],
)
def test_numpy_and_torch_agree(architecture):
    import torch

    from enpire_nodes.environment.learned.torch_network import TorchNetwork

    weights = arrays(architecture)
    twin = TorchNetwork(architecture)
    assert {name: value.shape for name, value in twin.arrays().items()} == architecture.shapes()
    twin.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
    crops = CROPS[:, : architecture.size, : architecture.size]
    with torch.no_grad():
        expected = twin.eval()(torch.from_numpy(standardized(crops)).permute(0, 3, 1, 2)).numpy()
    assert np.ptp(expected) > 1e-3
    np.testing.assert_allclose(Network(architecture, weights).logits(crops), expected, atol=1e-4)


def test_some_ten_thousand_numbers_are_learned():
    assert 10_000 < sum(map(np.prod, Architecture().shapes().values())) < 60_000


def test_how_bright_the_light_is_does_not_matter():
    network = Network(Architecture(), arrays(Architecture()))
    dark = (CROPS // 4).astype(np.uint8)
    bright = (dark * 2).astype(np.uint8)
    across = np.ptp(network.logits(bright))
    assert np.abs(network.logits(bright) - network.logits(dark)).max() < 0.5 * across


def test_a_blank_picture_is_no_noise():
    blank = np.full((1, 8, 8, 3), 128, np.uint8)
    blank[0, 0, 0] = 129
    assert np.abs(standardized(blank)).max() < 0.2


@pytest.mark.parametrize('change', ['missing', 'extra', 'shape', 'type', 'infinite'])
def test_weights_that_do_not_fit_are_refused(change):
    weights = arrays(Architecture())
    if change == 'missing':
        del weights['out.bias']
    elif change == 'extra':
        weights['conv9.bias'] = np.zeros(3, np.float32)
    elif change == 'shape':
        weights['conv1.weight'] = weights['conv1.weight'][:-1]
    elif change == 'type':
        weights['conv1.weight'] = weights['conv1.weight'].astype(np.float64)
    else:
        weights['conv1.weight'][0, 0, 0, 0] = np.inf
    with pytest.raises(ValueError, match=r'conv|out'):
        Network(Architecture(), weights)


def test_crops_of_another_size_are_refused():
    with pytest.raises(ValueError, match='crops'):
        Network(Architecture(), arrays(Architecture())).logits(CROPS[:, :32, :32])


def test_judging_does_not_load_torch():
    code = (
        'import sys\n'
        'import enpire_nodes.environment.learned.weights, enpire_nodes.environment.learned.fit\n'
        'assert "torch" not in sys.modules\n'
    )
    subprocess.run([sys.executable, '-c', code], check=True, timeout=50)
