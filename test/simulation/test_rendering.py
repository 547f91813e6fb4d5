"""Pictures really are drawn, and their absence is explained."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
import os
from pathlib import Path
import subprocess
import sys

import mujoco
import numpy as np
import pytest

from enpire_nodes.simulation import rendering
from enpire_nodes.simulation.bench import build_bench

needs_gl = pytest.mark.skipif(not rendering.rendering_enabled(), reason='MUJOCO_GL=disable')


@pytest.fixture
def bench(settings):
    """Return a bench with an orange ball in the middle of the table."""
    spec = build_bench(settings)
    spec.worldbody.add_geom(
        name='ball', type=mujoco.mjtGeom.mjGEOM_SPHERE, size=[0.02, 0, 0],
        pos=[0.265, -0.345, -0.025], rgba=[1.0, 0.45, 0.0, 1.0],
    )  # fmt: skip
    model = spec.compile()
    data = mujoco.MjData(model)
    for side, home in ((side, settings.arms[side].home) for side in ('left', 'right')):
        for index, angle in enumerate(home):
            data.joint(f'{side}_joint{index + 1}').qpos = angle
    mujoco.mj_forward(model, data)
    return spec, model, data


@needs_gl
def test_a_picture_shows_what_projection_predicts(bench, settings):
    _, model, data = bench
    with rendering.Renderer(model, {'side': (320, 240), 'front': (320, 240)}) as renderer:
        for name, camera in settings.cameras.items():
            picture = renderer.render(data, name)
            assert picture.shape == (240, 320, 3)
            assert picture.dtype == np.uint8
            red, green, blue = (picture[..., i].astype(int) for i in range(3))
            rows, columns = np.nonzero((red > 30) & (red > 2 * blue) & (red > 1.5 * green))
            assert len(rows) > 300
            expected = camera.project(np.array([0.265, -0.345, -0.025]))[0]
            found = [columns.mean() + 0.5, rows.mean() + 0.5]
            np.testing.assert_allclose(found, expected, atol=1.5)


@needs_gl
def test_a_developed_picture_shows_the_moment_of_exposure(bench):
    _, model, data = bench
    with rendering.Renderer(model, {'side': (160, 120)}) as renderer:
        now = renderer.render(data, 'side')
        renderer.expose(data, 'side')
        data.qpos[1] += 0.5
        data.joint('right_joint1').qpos += 0.3
        mujoco.mj_forward(model, data)
        np.testing.assert_array_equal(renderer.develop('side'), now)
        assert not np.array_equal(renderer.render(data, 'side'), now)


@needs_gl
def test_another_thread_may_draw_and_close(bench):
    _, model, data = bench
    renderer = rendering.Renderer(model, {'side': (64, 48)})
    here = renderer.render(data, 'side')
    with ThreadPoolExecutor(1) as elsewhere:
        there = elsewhere.submit(renderer.render, data, 'side').result(timeout=20)
        np.testing.assert_array_equal(here, there)
        np.testing.assert_array_equal(here, renderer.render(data, 'side'))
        elsewhere.submit(renderer.close).result(timeout=20)


@needs_gl
def test_two_renderers_live_side_by_side(bench):
    _, model, data = bench
    with (
        rendering.Renderer(model, {'side': (64, 48)}) as first,
        rendering.Renderer(model, {'front': (80, 60)}) as second,
    ):
        before = first.render(data, 'side')
        assert second.render(data, 'front').shape == (60, 80, 3)
        np.testing.assert_array_equal(first.render(data, 'side'), before)


@needs_gl
def test_closing_twice_is_harmless_and_a_closed_renderer_says_so(bench):
    _, model, data = bench
    renderer = rendering.Renderer(model, {'side': (64, 48)})
    renderer.close()
    renderer.close()
    with pytest.raises(rendering.RenderingError, match='closed'):
        renderer.render(data, 'side')


@needs_gl
def test_a_photograph_is_large_and_not_empty(bench):
    spec, _, data = bench
    picture = rendering.photograph(
        spec, data, meshes={}, position=(1.1, -0.8, 0.5), target=(0.2, -0.3, 0.0),
        width=320, height=200,
    )  # fmt: skip
    assert picture.shape == (200, 320, 3)
    assert picture.std() > 20.0


def test_without_any_backend_the_remedy_is_named(monkeypatch):
    def broken(width, height):
        raise ImportError('no such library')

    monkeypatch.setenv('MUJOCO_GL', '')
    monkeypatch.setattr(rendering, '_forget_opengl', lambda: None)
    monkeypatch.setattr(rendering, '_OPENERS', {'egl': broken, 'osmesa': broken})
    with pytest.raises(rendering.RenderingError, match='apt-get install libegl1') as caught:
        rendering.open_context(64, 48)
    assert 'egl: ImportError' in str(caught.value)
    assert 'osmesa: ImportError' in str(caught.value)


def test_the_second_backend_is_used_when_the_first_fails(monkeypatch):
    def broken(width, height):
        raise RuntimeError('no display')

    monkeypatch.setenv('MUJOCO_GL', '')
    monkeypatch.setattr(rendering, '_forget_opengl', lambda: None)
    monkeypatch.setattr(rendering, '_OPENERS', {'egl': broken, 'osmesa': lambda w, h: (w, h)})
    assert rendering.open_context(64, 48) == ('osmesa', (64, 48))
    assert os.environ['LP_NUM_THREADS'] == '1'


def test_without_a_working_egl_osmesa_draws_or_the_remedy_is_named():
    script = (
        'from enpire_nodes.simulation import rendering as r\n'
        'import mujoco, sys\n'
        'model = mujoco.MjModel.from_xml_string(sys.argv[1])\n'
        'data = mujoco.MjData(model)\n'
        'mujoco.mj_forward(model, data)\n'
        'try:\n'
        "    with r.Renderer(model, {'c': (64, 48)}) as renderer:\n"
        "        print(renderer.backend, renderer.render(data, 'c').std() > 5.0)\n"
        'except r.RenderingError as error:\n'
        '    print(error)\n'
    )
    ball = '<geom size="1" pos="0 0 -3"/>'
    model = f'<mujoco><worldbody><light/><camera name="c"/>{ball}</worldbody></mujoco>'
    environment = {k: v for k, v in os.environ.items() if k not in ('MUJOCO_GL', 'DISPLAY')}
    # The EGL library is there and finds no driver, as in a container without Mesa.
    environment['__EGL_VENDOR_LIBRARY_DIRS'] = '/nonexistent'
    result = subprocess.run(
        [sys.executable, '-c', script, model],
        env=environment,
        cwd=Path(rendering.__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=50,
        check=True,
    )
    assert result.stdout.strip() == 'osmesa True' or 'apt-get install libegl1' in result.stdout


@pytest.mark.parametrize(('value', 'enabled'), [('disable', False), ('egl', True), ('', True)])
def test_pictures_can_be_turned_off(monkeypatch, value, enabled):
    monkeypatch.setenv('MUJOCO_GL', value)
    assert rendering.rendering_enabled() is enabled
