"""Gradient descent on crops. Only a fit imports this module, and torch with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
import math

import numpy as np
import torch
from torch.nn import functional

from enpire_nodes.environment.learned.augmentation import augment
from enpire_nodes.environment.learned.network import Architecture, standardized
from enpire_nodes.environment.learned.torch_network import TorchNetwork

_BATCH = 64
_WARM_UP = 50  # steps in which the learning rate rises; afterwards it falls
_RATE, _DECAY = 2e-3, 1e-3
_EVERY, _PATIENCE = 50, 6  # steps between validations, and how many may bring nothing


def train(
    architecture: Architecture,
    training: tuple[np.ndarray, np.ndarray],
    validation: tuple[np.ndarray, np.ndarray],
    *,
    seeds: tuple[int, ...],
    steps: int,
    report: Callable[[str], None] = lambda line: None,
) -> dict[str, np.ndarray]:
    """Train a network, and return the weights that were best on the validation pictures.

    Both classes are drawn equally often. It stops early when validation no longer improves.

    :param training: (n, size, size, 3) uint8 crops and (n,) bool labels; both classes.
    :param validation: likewise, of other episodes.
    :param seeds: of every random draw.
    :param steps: of descent, at most.
    """
    rng = np.random.default_rng([*seeds, 2])
    with _one_thread(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(rng.integers(2**31)))
        network = TorchNetwork(architecture)
        optimizer = torch.optim.AdamW(network.parameters(), lr=_RATE, weight_decay=_DECAY)
        best, lowest, waited = network.arrays(), math.inf, 0
        for step, (crops, targets) in enumerate(_batches(*training, steps, rng), start=1):
            for group in optimizer.param_groups:
                group['lr'] = _rate_at(step, steps)
            network.train()
            loss = functional.binary_cross_entropy_with_logits(
                network(_tensor(crops)), torch.from_numpy(targets)
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if step % _EVERY and step != steps:
                continue
            error = _balanced_loss(network, *validation)
            report(f'step {step}: loss {loss.item():.4f}, on validation {error:.4f}')
            if error < lowest:
                best, lowest, waited = network.arrays(), error, 0
            else:
                waited += 1
                if waited == _PATIENCE:
                    break
    return best


def _batches(
    crops: np.ndarray, labels: np.ndarray, steps: int, rng: np.random.Generator
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    pools = [np.flatnonzero(labels), np.flatnonzero(~labels)]
    for _ in range(steps):
        chosen = np.concatenate([rng.choice(pool, _BATCH // 2) for pool in pools])
        yield augment(crops[chosen], labels[chosen], rng)


def _rate_at(step: int, steps: int) -> float:
    if step < _WARM_UP:
        return _RATE * step / _WARM_UP
    share = (step - _WARM_UP) / max(steps - _WARM_UP, 1)
    return _RATE * (0.02 + 0.98 * 0.5 * (1.0 + math.cos(math.pi * share)))


def _balanced_loss(network: TorchNetwork, crops: np.ndarray, labels: np.ndarray) -> float:
    network.eval()
    with torch.no_grad():
        parts = [
            network(_tensor(crops[start : start + 256])) for start in range(0, len(crops), 256)
        ]
    logits, targets = torch.cat(parts), torch.from_numpy(labels.astype(np.float32))
    losses = functional.binary_cross_entropy_with_logits(logits, targets, reduction='none').numpy()
    return float((losses[labels].mean() + losses[~labels].mean()) / 2.0)


def _tensor(crops: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(standardized(crops)).permute(0, 3, 1, 2)


@contextmanager
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
