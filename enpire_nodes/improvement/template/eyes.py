"""Encoders of pictures: a small network that learns along, or a frozen ResNet-18.

Without pictures there is an encoder too, which sees nothing. Pictures are shifted at random while
learning (DrQ, Kostrikov et al., 2021), which is what keeps a small network from memorizing them.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn, Tensor
from torch.nn import functional as F  # noqa: N812

from recipe import Observation

_CAMERAS = 2
_EMBEDDING = 64
_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def make_eyes(settings: Observation) -> nn.Module:
    """Return an encoder with an attribute ``outputs``: numbers that it gives for a moment."""
    if not settings.images:
        return Blind()
    if settings.encoder == 'resnet18':
        return Eyes(settings, frozen_resnet18(settings.encoder_weights), 512)
    return Eyes(settings, small_network(settings.images), _EMBEDDING)


class Blind(nn.Module):
    """Sees nothing."""

    outputs = 0

    def forward(self, image: Tensor) -> Tensor:
        """Return (n, 0) numbers."""
        return image.new_zeros(len(image), 0, dtype=torch.float32)


class Eyes(nn.Module):
    """One encoder for all cameras, whose answers stand side by side.

    :param encoder: (n, 3, size, size) in [0, 1] to (n, width).
    """

    def __init__(self, settings: Observation, encoder: nn.Module, width: int) -> None:
        super().__init__()
        self.encoder, self.shift = encoder, settings.shift
        self.squeeze = nn.Sequential(
            nn.Linear(width, _EMBEDDING), nn.LayerNorm(_EMBEDDING), nn.Tanh()
        )
        self.outputs = _EMBEDDING * _CAMERAS

    def forward(self, image: Tensor) -> Tensor:
        """Encode (n, cameras, size, size, 3) uint8 pictures; return (n, outputs)."""
        flat = image.flatten(0, 1).permute(0, 3, 1, 2).float() / 255.0
        if self.training and self.shift:
            flat = shifted(flat, self.shift)
        return self.squeeze(self.encoder(flat)).reshape(len(image), -1)


def shifted(pictures: Tensor, most: int) -> Tensor:
    """Return (n, c, size, size) pictures, each moved at random by up to ``most`` px."""
    size = pictures.shape[-1]
    padded = F.pad(pictures, (most,) * 4, mode='replicate')
    x, y = torch.randint(2 * most + 1, (2, len(pictures)))
    return torch.stack(
        [p[:, b : b + size, a : a + size] for p, a, b in zip(padded, x, y, strict=True)]
    )


def small_network(size: int) -> nn.Module:
    """Return four convolutions for pictures of ``size`` px."""
    left = size // 16
    widths = (3, 16, 32, 32, 32)
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Conv2d(before, after, 3, stride=2, padding=1), nn.ReLU()]
    return nn.Sequential(
        *layers,
        nn.AdaptiveAvgPool2d(min(left, 4)),
        nn.Flatten(),
        nn.Linear(32 * min(left, 4) ** 2, _EMBEDDING),
    )


class Block(nn.Module):
    """A residual block of a ResNet-18 (He et al., 2016), named as torchvision names its parts."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(after)
        self.conv2 = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(after)
        if stride != 1 or before != after:
            self.downsample = nn.Sequential(
                nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after)
            )

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's answer."""
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + (self.downsample(x) if hasattr(self, 'downsample') else x))


class ResNet18(nn.Module):
    """The convolutions of a ResNet-18, which never learn here."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        for index, (before, after, stride) in enumerate(
            ((64, 64, 1), (64, 128, 2), (128, 256, 2), (256, 512, 2)), start=1
        ):
            blocks = nn.Sequential(Block(before, after, stride), Block(after, after, 1))
            setattr(self, f'layer{index}', blocks)
        mean, std = (torch.tensor(values).view(3, 1, 1) for values in _IMAGENET)
        self.register_buffer('mean', mean, persistent=False)
        self.register_buffer('std', std, persistent=False)

    def train(self, mode: bool = True) -> ResNet18:
        """Stay as it is: its running means are part of what is frozen."""
        return super().train(False)

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, 512) of (n, 3, size, size) in [0, 1]."""
        with torch.no_grad():
            x = F.max_pool2d(F.relu(self.bn1(self.conv1((x - self.mean) / self.std))), 3, 2, 1)
            for index in range(1, 5):
                x = getattr(self, f'layer{index}')(x)
            return x.mean((2, 3))


def frozen_resnet18(weights: str) -> ResNet18:
    """Return a ResNet-18 with weights from a torchvision state dict.

    :raises FileNotFoundError, RuntimeError: there is no such file, or it is of another network.
    """
    network = ResNet18().requires_grad_(False).eval()
    state = torch.load(weights, map_location='cpu', weights_only=True)
    network.load_state_dict({k: v for k, v in state.items() if not k.startswith('fc.')})
    return network
