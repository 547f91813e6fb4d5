"""Light meshes of the YAM station, made once from the ``dreamscale-i2rt`` wheel and cached.

The wheel's meshes have 164,000 faces, far more than a 320 x 240 picture can show. Vertex
clustering brings them to a few thousand. The results lie in a cache folder, never in the
repository.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
from pathlib import Path
import shutil
import tempfile
import xml.etree.ElementTree as ET

import numpy as np

#: What to install when the meshes are missing.
WHEEL = 'dreamscale-i2rt==1.3.6.post1'
_STATION = Path('station/yam_station_linear_4310_d405/yam_station_linear_4310_d405.xml')
_FACE = np.dtype([('normal', '<f4', 3), ('vertices', '<f4', (3, 3)), ('attribute', '<u2')])


class AssetsMissingError(RuntimeError):
    """The robot's models are not installed, or not in the layout of the pinned wheel."""


def station_model() -> Path:
    """Return the MJCF file of the two-armed station inside the installed wheel.

    :raises AssetsMissingError: with the command that installs it.
    """
    spec = importlib.util.find_spec('i2rt')
    for folder in spec.submodule_search_locations or () if spec else ():
        path = Path(folder) / 'robot_models' / _STATION
        if path.is_file():
            return path
    raise AssetsMissingError(
        f'the YAM station model is not installed; run: pip install --no-deps {WHEEL}'
    )


def mesh_files(model: Path) -> dict[str, Path]:
    """Return the mesh name and STL file of every mesh that an MJCF file refers to."""
    root = ET.parse(model).getroot()
    return {
        mesh.attrib['name']: (model.parent / mesh.attrib['file']).resolve()
        for mesh in root.iter('mesh')
        if 'file' in mesh.attrib
    }


def read_stl(path: Path) -> np.ndarray:
    """Return the (n, 3, 3) corner points of a binary STL file, in its own unit."""
    content = path.read_bytes()
    count = int.from_bytes(content[80:84], 'little')
    return np.frombuffer(content, dtype=_FACE, offset=84, count=count)['vertices']


def write_stl(path: Path, triangles: np.ndarray) -> None:
    """Write (n, 3, 3) corner points as a binary STL file."""
    faces = np.zeros(len(triangles), _FACE)
    faces['vertices'] = triangles
    path.write_bytes(b'\0' * 80 + len(faces).to_bytes(4, 'little') + faces.tobytes())


def cluster(triangles: np.ndarray, cell: float) -> np.ndarray:
    """Merge all corners that share a cubic cell into their mean, and drop what collapses.

    :param triangles: (n, 3, 3) m.
    :param cell: m, edge of a cell.
    :return: (k, 3, 3) m, k <= n.
    """
    corners = triangles.reshape(-1, 3).astype(np.float64)
    _, index = np.unique(np.floor(corners / cell).astype(np.int64), axis=0, return_inverse=True)
    index = index.ravel()
    counts = np.bincount(index)[:, None]
    centres = np.stack([np.bincount(index, corners[:, axis]) for axis in range(3)], 1) / counts
    faces = index.reshape(-1, 3)
    proper = (
        (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 0] != faces[:, 2])
    )
    faces = faces[proper]
    _, first = np.unique(np.sort(faces, axis=1), axis=0, return_index=True)
    return centres[faces[np.sort(first)]].astype(np.float32)


def cache_folder() -> Path:
    """Return where light meshes are kept: ``ENPIRE_CACHE``, else ``XDG_CACHE_HOME/enpire``."""
    if chosen := os.environ.get('ENPIRE_CACHE'):
        return Path(chosen)
    return Path(os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache') / 'enpire'


def light_meshes(cell: float, *, cache: Path | None = None) -> dict[str, Path]:
    """Return the decimated STL file of every mesh of the station, making them if need be.

    The folder's name is the digest of the inputs and the cell size, and it appears by one rename:
    processes may race for it, and none ever sees it half written.

    :param cell: m, edge of a clustering cell.
    :param cache: where to keep the result; :func:`cache_folder` by default.
    :raises AssetsMissingError: if the wheel is not installed.
    """
    sources = mesh_files(station_model())
    digest = hashlib.sha256(f'cluster-1 {cell:.6f}'.encode())
    for name in sorted(sources):
        digest.update(name.encode() + b'\0' + sources[name].read_bytes())
    parent = (cache or cache_folder()) / 'meshes'
    folder = parent / digest.hexdigest()[:20]
    if not folder.is_dir():
        parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix='.draft-', dir=parent))
        try:
            for name, source in sources.items():
                write_stl(draft / f'{name}.stl', cluster(read_stl(source), cell))
            os.rename(draft, folder)
        except OSError:
            if not folder.is_dir():  # otherwise another process won the race, with equal content
                raise
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return {name: folder / f'{name}.stl' for name in sources}
