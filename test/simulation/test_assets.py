"""Light meshes: made once, whole or not at all, and light."""

from __future__ import annotations

from pathlib import Path
import subprocess
import sys

import numpy as np
import pytest

from enpire_nodes.simulation import assets


def sphere(count: int = 4000) -> np.ndarray:
    points = np.random.default_rng(0).standard_normal((count, 3, 3)) * 0.002
    centres = np.random.default_rng(1).standard_normal((count, 1, 3))
    centres /= 10.0 * np.linalg.norm(centres, axis=2, keepdims=True)
    return (centres + points).astype(np.float32)


def test_stl_files_read_back_as_written(tmp_path):
    triangles = sphere(17)
    assets.write_stl(tmp_path / 'mesh.stl', triangles)
    np.testing.assert_array_equal(assets.read_stl(tmp_path / 'mesh.stl'), triangles)


def test_clustering_thins_out_and_moves_nothing_farther_than_a_cell():
    triangles, cell = sphere(), 0.02
    light = assets.cluster(triangles, cell)
    assert 0 < len(light) < len(triangles) / 2
    corners, original = light.reshape(-1, 3), triangles.reshape(-1, 3)
    nearest = [np.linalg.norm(original - corner, axis=1).min() for corner in corners[:200]]
    assert max(nearest) < cell * np.sqrt(3.0)


def test_clustering_leaves_no_collapsed_triangle():
    light = assets.cluster(sphere(), 0.03)
    edges = np.linalg.norm(light - np.roll(light, 1, axis=1), axis=2)
    assert edges.min() > 0.0


def test_cache_is_keyed_by_cell_size_and_reused(tmp_path):
    coarse = assets.light_meshes(0.02, cache=tmp_path)
    fine = assets.light_meshes(0.01, cache=tmp_path)
    assert coarse['link2'].parent != fine['link2'].parent
    made = coarse['link2'].stat().st_mtime_ns
    assert assets.light_meshes(0.02, cache=tmp_path)['link2'].stat().st_mtime_ns == made
    faces = {name: len(assets.read_stl(path)) for name, path in coarse.items()}
    assert min(faces.values()) > 0
    assert sum(faces.values()) < 10_000


def test_processes_may_race_for_the_cache(tmp_path):
    script = (
        'import hashlib, sys, pathlib\n'
        'from enpire_nodes.simulation.assets import light_meshes\n'
        'meshes = light_meshes(0.02, cache=pathlib.Path(sys.argv[1]))\n'
        "content = b''.join(meshes[name].read_bytes() for name in sorted(meshes))\n"
        'print(hashlib.sha256(content).hexdigest())\n'
    )
    root = Path(assets.__file__).parents[2]
    workers = [
        subprocess.Popen(
            [sys.executable, '-c', script, str(tmp_path)],
            stdout=subprocess.PIPE,
            cwd=root,
            text=True,
        )
        for _ in range(3)
    ]
    digests = [worker.communicate(timeout=60)[0] for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0, 0]
    assert digests[0]
    assert len(set(digests)) == 1
    assert len(list((tmp_path / 'meshes').iterdir())) == 1, 'a draft was left behind'


def test_a_failed_write_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(assets, 'write_stl', full)
    with pytest.raises(OSError, match='No space left'):
        assets.light_meshes(0.02, cache=tmp_path)
    assert list((tmp_path / 'meshes').iterdir()) == []


def test_missing_wheel_names_the_command_that_installs_it(monkeypatch):
    monkeypatch.setattr(assets.importlib.util, 'find_spec', lambda _: None)
    with pytest.raises(assets.AssetsMissingError, match='pip install --no-deps dreamscale-i2rt'):
        assets.station_model()


@pytest.mark.parametrize(
    ('variables', 'expected'),
    [
        ({'ENPIRE_CACHE': '/a', 'XDG_CACHE_HOME': '/b'}, '/a'),
        ({'XDG_CACHE_HOME': '/b'}, '/b/enpire'),
        ({'HOME': '/home/someone'}, '/home/someone/.cache/enpire'),
    ],
)
def test_cache_folder_follows_the_environment(variables, expected, monkeypatch):
    for name in ('ENPIRE_CACHE', 'XDG_CACHE_HOME'):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert assets.cache_folder() == Path(expected)
