"""The Parquet tables of a dataset, written one episode at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
import json
from pathlib import Path
from typing import Any, TYPE_CHECKING

import numpy as np

from enpire_nodes.improvement.lerobot import layout
from enpire_nodes.improvement.lerobot.arrow import arrow
from enpire_nodes.improvement.lerobot.pictures import as_cells
from enpire_nodes.improvement.lerobot.shape import Shape

if TYPE_CHECKING:
    import pyarrow as pa

#: How pandas, with which LeRobot reads the tasks, knows that they are the index.
_PANDAS = {
    'index_columns': ['task'],
    'column_indexes': [],
    'columns': [
        {'name': name, 'field_name': name, 'pandas_type': kind, 'numpy_type': numpy_kind}
        | {'metadata': None}
        for name, kind, numpy_kind in (
            ('task_index', 'int64', 'int64'),
            ('task', 'unicode', 'object'),
        )
    ],
    'pandas_version': '2.0.0',
}


class FrameFiles:
    """Writes episodes to ``data/``, one row group each, and begins a new file when one is full.

    :param described: the columns, as :func:`layout.features` describes them.
    :param limit: bytes, of a file before compression.
    """

    def __init__(
        self,
        dataset: Path,
        described: Mapping[str, Mapping[str, Any]],
        *,
        limit: int = layout.MEGABYTES_PER_FILE * 1_000_000,
    ) -> None:
        self._dataset = dataset
        self._limit = limit
        self._schema = frame_schema(described)
        self._writer: Any = None
        self._number = -1
        self._size = 0

    def add(
        self, columns: Mapping[str, np.ndarray], pictures: Mapping[str, Sequence[bytes]]
    ) -> tuple[int, int]:
        """Write an episode; return the numbers of the chunk and of the file that it is in."""
        pa = arrow()
        cells = {name: _column(values) for name, values in columns.items()}
        for name, files in pictures.items():
            cells[name] = pa.array(as_cells(files), self._schema.field(name).type)
        table = pa.table([cells[name] for name in self._schema.names], schema=self._schema)
        if self._writer is None or self._size + table.nbytes > self._limit:
            self._begin()
        self._writer.write_table(table)
        self._size += table.nbytes
        return self._place()

    def close(self) -> None:
        """Finish the last file."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _begin(self) -> None:
        self.close()
        self._number += 1
        self._size = 0
        chunk, file = self._place()
        path = self._dataset / layout.DATA.format(chunk_index=chunk, file_index=file)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._writer = arrow().parquet.ParquetWriter(path, self._schema)

    def _place(self) -> tuple[int, int]:
        return divmod(self._number, layout.FILES_PER_CHUNK)


def frame_schema(described: Mapping[str, Mapping[str, Any]]) -> pa.Schema:
    """Return the types of the columns, and what says to ``datasets`` which are pictures."""
    pa = arrow()
    fields, told = [], {}
    for name, item in described.items():
        if item['dtype'] == 'image':
            kind = pa.struct([('bytes', pa.binary()), ('path', pa.string())])
            told[name] = {'_type': 'Image'}
        else:
            kind = pa.from_numpy_dtype(item['dtype'])
            told[name] = {'dtype': item['dtype'], '_type': 'Value'}
            if item['shape'] != [1]:
                size = item['shape'][0]
                kind = pa.list_(kind, size)
                told[name] = {'feature': told[name], 'length': size, '_type': 'List'}
        fields.append(pa.field(name, kind))
    features = json.dumps({'info': {'features': told}})
    return pa.schema(fields, metadata={'huggingface': features})


def write_ends(
    dataset: Path, shape: Shape, ends: Sequence[tuple[float, np.ndarray, dict[str, bytes]]]
) -> None:
    """Write the last row of each attempt that has rows.

    :param ends: stamp in s, (size,) state and a picture by camera, in the order of the attempts.
    """
    pa = arrow()
    width = sum(shape.sizes.values())
    table = {
        layout.STAMP: pa.array([stamp for stamp, _, _ in ends], pa.float64()),
        layout.STATE: pa.array(
            [state.tolist() for _, state, _ in ends], pa.list_(pa.float32(), width)
        ),
        **{
            layout.PICTURES + camera: pa.array([shown[camera] for *_, shown in ends], pa.binary())
            for camera in shape.cameras
        },
    }
    pa.parquet.write_table(pa.table(table), dataset / layout.ENDS)


def write_episodes(dataset: Path, episodes: Sequence[Mapping[str, Any]]) -> None:
    """Write what is known of each episode, with its statistics."""
    pa = arrow()
    path = dataset / layout.EPISODES
    path.parent.mkdir(parents=True)
    pa.parquet.write_table(pa.Table.from_pylist(list(episodes)), path)


def write_task(dataset: Path, task: str) -> None:
    """Write the one task that all frames have."""
    pa = arrow()
    table = pa.table({'task_index': pa.array([0], pa.int64()), 'task': [task]})
    described = {b'pandas': json.dumps(_PANDAS).encode()}
    pa.parquet.write_table(table.replace_schema_metadata(described), dataset / layout.TASKS)


def _column(values: np.ndarray) -> pa.Array:
    pa = arrow()
    if values.ndim == 1:
        return pa.array(values)
    return pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), values.shape[1])
