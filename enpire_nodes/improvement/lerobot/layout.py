"""Where the files of a dataset lie and what ``meta/info.json`` says of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
import json
from pathlib import Path
from typing import Any

from enpire_nodes.improvement.lerobot.arrow import unusable

VERSION = 'v3.0'
INFO = 'meta/info.json'
STATS = 'meta/stats.json'
TASKS = 'meta/tasks.parquet'
EPISODES = 'meta/episodes/chunk-000/file-000.parquet'
DATA = 'data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet'
#: Ours: what the format has no place for. LeRobot does not look at either.
TRIALS = 'meta/enpire.json'
ENDS = 'meta/enpire_ends.parquet'

STATE = 'observation.state'
ACTION = 'action'
PICTURES = 'observation.images.'
#: s of the station's clock, float64; ``timestamp`` counts from the start of the episode.
STAMP = 'enpire.stamp'
REWARD, DONE, TRUNCATED, SUCCESS = 'next.reward', 'next.done', 'next.truncated', 'next.success'

FILES_PER_CHUNK = 1000
MEGABYTES_PER_FILE = 100
_SCALARS = {
    REWARD: 'float32',
    DONE: 'bool',
    TRUNCATED: 'bool',
    SUCCESS: 'bool',
    STAMP: 'float64',
    'timestamp': 'float32',
    'frame_index': 'int64',
    'episode_index': 'int64',
    'index': 'int64',
    'task_index': 'int64',
}


def features(sizes: Mapping[str, int], cameras: Mapping[str, int]) -> dict[str, dict[str, Any]]:
    """Describe the columns as ``meta/info.json`` does.

    :param sizes: of each recorded feature, in the order in which they are put together.
    :param cameras: px, side of the square pictures of each.
    """
    names = element_names(sizes)
    return {
        STATE: {'dtype': 'float32', 'shape': [len(names)], 'names': names},
        ACTION: {'dtype': 'float32', 'shape': [3], 'names': ['dx', 'dy', 'dz']},
        **{
            PICTURES + camera: {
                'dtype': 'image',
                'shape': [size, size, 3],
                'names': ['height', 'width', 'channels'],
            }
            for camera, size in cameras.items()
        },
        **{
            name: {'dtype': dtype, 'shape': [1], 'names': None} for name, dtype in _SCALARS.items()
        },
    }


def element_names(sizes: Mapping[str, int]) -> list[str]:
    """Name the elements of ``observation.state``: ``tcp.0``, ``tcp.1`` and so on."""
    return [f'{name}.{index}' for name, size in sizes.items() for index in range(size)]


def sizes_from(names: object, width: int) -> dict[str, int] | None:
    """Read what :func:`element_names` made; None when the names are of another kind."""
    if not isinstance(names, Sequence) or isinstance(names, str) or len(names) != width:
        return None
    sizes: dict[str, int] = {}
    for element in names:
        name, dot, _ = str(element).rpartition('.')
        if not (dot and name):
            return None
        sizes[name] = sizes.get(name, 0) + 1
    return sizes if element_names(sizes) == list(names) else None


def info(described: Mapping[str, Any], *, rate: int, episodes: int, frames: int) -> dict[str, Any]:
    """Return the content of ``meta/info.json``.

    :param described: what :func:`features` returns.
    :param rate: Hz, of control.
    """
    return {
        'codebase_version': VERSION,
        'robot_type': 'enpire',
        'total_episodes': episodes,
        'total_frames': frames,
        'total_tasks': 1,
        'chunks_size': FILES_PER_CHUNK,
        'data_files_size_in_mb': MEGABYTES_PER_FILE,
        'video_files_size_in_mb': 200,
        'fps': rate,
        'splits': {'train': f'0:{episodes}'},
        'data_path': DATA,
        'video_path': None,
        'features': dict(described),
    }


def read_info(dataset: Path) -> dict[str, Any]:
    """Read ``meta/info.json``.

    :raises StationError: IMPROVEMENT_DATASET_UNUSABLE, it is missing, damaged or of another
        version.
    """
    try:
        found = json.loads((dataset / INFO).read_text('utf-8'))
        version, described = found['codebase_version'], found['features']
        if not (float(found['fps']) > 0 and all('shape' in item for item in described.values())):
            raise ValueError('fps or features are not as they should be')
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise unusable(
            f'{dataset} is no LeRobot dataset: {INFO}: {type(error).__name__}: {error}'
        ) from error
    if version != VERSION:
        raise unusable(
            f'{dataset} is of version {version}, and only {VERSION} can be read: convert it with '
            'the scripts that come with lerobot'
        )
    return found
