"""The network of :mod:`enpire_nodes.environment.learned.network` for torch, to be trained.

Only a fit imports this module, and torch with it.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from enpire_nodes.environment.learned.network import Architecture


class TorchNetwork(nn.Module):
    """Takes (n, 3, size, size) standardized crops and returns (n,) log-odds of success."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        before = 3
        self._convolutions: list[nn.Module] = []
        for index, (after, kernel) in enumerate(
            zip(architecture.channels, architecture.kernels, strict=True)
        ):
            layer = nn.Conv2d(before, after, kernel, stride=2, padding=kernel // 2)
            nn.init.kaiming_normal_(layer.weight, nonlinearity='relu')
            nn.init.zeros_(layer.bias)
            self.add_module(f'conv{index}', layer)
            self._convolutions.append(layer)
            before = after
        shapes = architecture.shapes()
        self.hidden = nn.Linear(shapes['hidden.weight'][1], architecture.hidden)
        self.drop = nn.Dropout(0.3)
        self.out = nn.Linear(architecture.hidden, 1)
        self.to(memory_format=torch.channels_last)

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        """Return the log-odds."""
        layer = crops
        for convolution in self._convolutions:
            layer = torch.relu(convolution(layer))
        layer = torch.relu(self.hidden(self.drop(layer.flatten(1))))
        return self.out(layer).squeeze(1)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return copies of the weights, float32, by name."""
        return {name: value.numpy().copy() for name, value in self.state_dict().items()}
