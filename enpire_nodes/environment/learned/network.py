"""A small convolutional network, run by NumPy alone.

Judging needs neither torch nor a pickle: a station that only runs a judge does not load 200 MB for
two million multiplications. :mod:`enpire_nodes.environment.learned.torch_network` is the same
network for training; a test holds them against each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

_SPREAD = 0.04  # of a picture's own spread: keeps a blank one from being blown up to noise


@dataclass(frozen=True, slots=True)
class Architecture:
    """The shape of a network: convolutions of stride 2 with ReLU, then two full layers.

    :param size: px, of each side of its square RGB input.
    :param channels: of each convolution.
    :param kernels: px, odd, of each convolution.
    :param hidden: width of the first full layer.
    """

    size: int = 64
    channels: tuple[int, ...] = (12, 24, 32, 32)
    kernels: tuple[int, ...] = (5, 3, 3, 3)
    hidden: int = 32

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shape of every array of weights by name, as torch stores them."""
        found: dict[str, tuple[int, ...]] = {}
        before, side = 3, self.size
        for index, (after, kernel) in enumerate(zip(self.channels, self.kernels, strict=True)):
            found[f'conv{index}.weight'] = (after, before, kernel, kernel)
            found[f'conv{index}.bias'] = (after,)
            before, side = after, (side + 1) // 2
        found |= {
            'hidden.weight': (self.hidden, before * side * side),
            'hidden.bias': (self.hidden,),
            'out.weight': (1, self.hidden),
            'out.bias': (1,),
        }
        return found

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON types."""
        return {
            'size': self.size,
            'channels': list(self.channels),
            'kernels': list(self.kernels),
            'hidden': self.hidden,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Architecture:
        """Read what :meth:`to_json` made; raises KeyError, TypeError or ValueError."""
        return cls(
            size=int(data['size']),
            channels=tuple(int(value) for value in data['channels']),
            kernels=tuple(int(value) for value in data['kernels']),
            hidden=int(data['hidden']),
        )


class Network:
    """A trained network.

    :param architecture: its shape.
    :param arrays: float32 weights by the names of :meth:`Architecture.shapes`.
    :raises ValueError: an array is missing, too much, of another shape, or not finite.
    """

    def __init__(self, architecture: Architecture, arrays: Mapping[str, np.ndarray]) -> None:
        shapes = architecture.shapes()
        if set(shapes) != set(arrays):
            wrong = sorted(set(shapes) ^ set(arrays))
            raise ValueError(f'the arrays {wrong} are missing or too much')
        for name, shape in shapes.items():
            if arrays[name].shape != shape or arrays[name].dtype != np.float32:
                raise ValueError(
                    f'{name} is {arrays[name].dtype} {arrays[name].shape}, not float32 {shape}'
                )
            if not np.isfinite(arrays[name]).all():
                raise ValueError(f'{name} holds numbers that are not finite')
        self._size = architecture.size
        self._layers = []
        for index, kernel in enumerate(architecture.kernels):
            weight = arrays[f'conv{index}.weight']
            flat = weight.transpose(2, 3, 1, 0).reshape(-1, len(weight))
            self._layers.append((kernel, np.ascontiguousarray(flat), arrays[f'conv{index}.bias']))
        last = architecture.channels[-1]
        side = round((arrays['hidden.weight'].shape[1] / last) ** 0.5)
        hidden = arrays['hidden.weight'].reshape(-1, last, side, side).transpose(2, 3, 1, 0)
        self._hidden = np.ascontiguousarray(hidden.reshape(side * side * last, -1))
        self._hidden_bias = arrays['hidden.bias']
        self._out, self._out_bias = arrays['out.weight'][0], float(arrays['out.bias'][0])

    def logits(self, crops: np.ndarray) -> np.ndarray:
        """Return the (n,) log-odds of success, uncalibrated.

        :param crops: (n, size, size, 3) uint8 RGB.
        """
        if crops.shape[1:] != (self._size, self._size, 3):
            raise ValueError(f'crops are {crops.shape}, not (n, {self._size}, {self._size}, 3)')
        layer = standardized(crops)
        for kernel, weight, bias in self._layers:
            layer = _convolve(layer, kernel, weight, bias)
        hidden = layer.reshape(len(layer), -1) @ self._hidden + self._hidden_bias
        return np.maximum(hidden, 0.0) @ self._out + self._out_bias


def standardized(crops: np.ndarray) -> np.ndarray:
    """Return (n, size, size, 3) float32 of mean 0 and spread 1, picture by picture.

    That takes out how bright the light is, and keeps the hues apart.

    :param crops: (n, size, size, 3) uint8.
    """
    scaled = crops.astype(np.float32) / np.float32(255.0)
    mean = scaled.mean(axis=(1, 2, 3), keepdims=True)
    spread = scaled.std(axis=(1, 2, 3), keepdims=True)
    return (scaled - mean) / (spread + np.float32(_SPREAD))


def _convolve(layer: np.ndarray, kernel: int, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Convolve (n, h, w, c) with stride 2 and zeros around it, then cut below zero."""
    margin = kernel // 2
    padded = np.pad(layer, ((0, 0), (margin, margin), (margin, margin), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kernel, kernel), axis=(1, 2))
    windows = windows[:, ::2, ::2].transpose(0, 1, 2, 4, 5, 3)
    count, height, width = windows.shape[:3]
    flat = windows.reshape(count * height * width, -1) @ weight + bias
    return np.maximum(flat, 0.0).reshape(count, height, width, -1)
