"""The frames of a dataset, read one episode at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, TYPE_CHECKING

import numpy as np

from enpire_nodes.improvement.lerobot.arrow import arrow, unusable
from enpire_nodes.improvement.lerobot.pictures import decode

if TYPE_CHECKING:
    import pyarrow as pa


class Episode:
    """Some columns of the frames of one episode.

    :param number: in the dataset.
    """

    def __init__(self, number: int, table: pa.Table) -> None:
        self.number = number
        self._table = table

    def __len__(self) -> int:
        return len(self._table)

    def vectors(self, name: str) -> np.ndarray:
        """Return a column as (n, size) float32.

        :raises ValueError: a value is missing or not finite, or rows differ in length.
        """
        pa, values = arrow(), self._table[name]
        while not pa.types.is_primitive(values.type):
            values = pa.compute.list_flatten(values)
        rows = values.to_numpy().astype(np.float32).reshape(len(self), -1)
        if not np.isfinite(rows).all():
            raise ValueError(f'{name} is not finite everywhere')
        return rows

    def scalars(self, name: str) -> np.ndarray:
        """Return a column as (n,), in its own type."""
        return self._table[name].to_numpy()

    def pictures(self, name: str) -> np.ndarray:
        """Return a column as (n, height, width, 3) uint8 RGB.

        :raises ValueError: a picture is missing, damaged or of another size.
        """
        return decode(self.files(name))

    def files(self, name: str) -> list[bytes | None]:
        """Return a column as encoded pictures."""
        return arrow().compute.struct_field(self._table[name], 'bytes').to_pylist()


def episodes(dataset: Path, info: dict[str, Any], wanted: Sequence[str]) -> Iterator[Episode]:
    """Read the episodes in order.

    :param info: as read from ``meta/info.json``; the dataset must have what it promises.
    :param wanted: names of the columns.
    :raises StationError: IMPROVEMENT_DATASET_UNUSABLE, something is missing or damaged.
    """
    pa = arrow()
    number = frames = 0
    for path in sorted((dataset / 'data').glob('*/*.parquet')):
        try:
            table = pa.parquet.read_table(path, columns=[*wanted, 'episode_index'])
            marks = table['episode_index'].to_numpy()
        except (pa.ArrowException, OSError, KeyError, ValueError) as error:
            raise unusable(f'{path} cannot be read: {error}') from error
        cuts = [0, *(np.flatnonzero(np.diff(marks)) + 1).tolist(), len(marks)]
        for start, stop in pairwise(cuts):
            if start == stop:
                continue
            if marks[start] != number:
                raise unusable(
                    f'{path}: episode {marks[start]} is where {number} is expected; a part of '
                    'the dataset is missing, or it was put together otherwise'
                )
            yield Episode(number, table.slice(start, stop - start))
            number += 1
            frames += stop - start
    if (number, frames) != (info.get('total_episodes'), info.get('total_frames')):
        raise unusable(
            f'{dataset} has {number} episodes of {frames} frames in all, and its info.json says '
            f'{info.get("total_episodes")} and {info.get("total_frames")}; fetch it again'
        )
