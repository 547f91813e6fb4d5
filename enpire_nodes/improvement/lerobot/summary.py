"""Minimum, maximum, mean, deviation and quantiles of the columns, in the form LeRobot reads.

``lerobot`` estimates quantiles of one episode from a histogram and averages those of the episodes;
here they are those of all values. Pictures are counted pixel by pixel, not by a sample of frames.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

QUANTILES = (0.01, 0.10, 0.50, 0.90, 0.99)
Summary = dict[str, list]


def summarize(values: np.ndarray) -> Summary:
    """Summarize (n,) or (n, size) values; the deviation is that of the population."""
    table = np.asarray(values, dtype=np.float64).reshape(len(values), -1)
    return {
        'min': table.min(axis=0).tolist(),
        'max': table.max(axis=0).tolist(),
        'mean': table.mean(axis=0).tolist(),
        'std': table.std(axis=0).tolist(),
        'count': [len(table)],
        **{
            _key(quantile): row.tolist()
            for quantile, row in zip(QUANTILES, np.quantile(table, QUANTILES, axis=0))
        },
    }


@dataclass(frozen=True, slots=True, eq=False)
class Pixels:
    """How often each value occurs in some pictures.

    :param counts: (3, 256), by channel and value.
    :param frames: number of pictures.
    """

    counts: np.ndarray
    frames: int

    @classmethod
    def of(cls, images: np.ndarray) -> Pixels:
        """Count (n, height, width, 3) uint8."""
        channels = [np.bincount(images[..., k].ravel(), minlength=256) for k in range(3)]
        return cls(np.stack(channels), len(images))

    def __add__(self, other: Pixels) -> Pixels:
        return Pixels(self.counts + other.counts, self.frames + other.frames)

    def summary(self) -> Summary:
        """Summarize by channel, with values from 0 to 1; each is (3, 1, 1)."""
        values = np.arange(256) / 255
        total = self.counts.sum(axis=1, keepdims=True)
        share = self.counts / total
        mean = share @ values
        spread = np.sqrt((share * (values - mean[:, None]) ** 2).sum(axis=1))
        seen = self.counts > 0
        below = self.counts.cumsum(axis=1)
        found = {
            'min': values[seen.argmax(axis=1)],
            'max': values[255 - seen[:, ::-1].argmax(axis=1)],
            'mean': mean,
            'std': spread,
            **{
                _key(quantile): values[(below >= quantile * total).argmax(axis=1)]
                for quantile in QUANTILES
            },
        }
        shaped = {name: numbers.reshape(3, 1, 1).tolist() for name, numbers in found.items()}
        return {**shaped, 'count': [self.frames]}


def summarize_columns(columns: Mapping[str, np.ndarray | Pixels]) -> dict[str, Summary]:
    """Summarize each column, numbers or pictures."""
    return {
        name: values.summary() if isinstance(values, Pixels) else summarize(values)
        for name, values in columns.items()
    }


def _key(quantile: float) -> str:
    return f'q{round(quantile * 100):02d}'
