"""Pictures of the bench without a screen: EGL where it works, OSMesa otherwise.

A picture is taken in two steps. ``expose`` copies what the camera sees at that instant, which is
quick; ``develop`` draws it, which takes milliseconds and may wait for an idle moment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
import contextlib
import os
from pathlib import Path
import sys
from typing import Protocol

import mujoco
import numpy as np

#: How pictures may be drawn, in the order of trial; ``MUJOCO_GL`` picks one, or ``disable``.
BACKENDS = ('egl', 'osmesa')


class RenderingError(RuntimeError):
    """Nothing can draw here; the message says what to install."""


class GLContext(Protocol):
    """What MuJoCo's own contexts offer."""

    def make_current(self) -> None:
        """Let this thread draw with it."""

    def free(self) -> None:
        """Give it back."""


def rendering_enabled() -> bool:
    """Return whether pictures are wanted at all (``MUJOCO_GL=disable`` turns them off)."""
    return os.environ.get('MUJOCO_GL', '').lower() not in ('disable', 'disabled', 'off', '0')


def _open_egl(width: int, height: int) -> GLContext:
    from mujoco.egl import GLContext as Context

    return Context(width, height)


def _open_osmesa(width: int, height: int) -> GLContext:
    from mujoco.osmesa import GLContext as Context

    return Context(width, height)


_OPENERS: dict[str, Callable[[int, int], GLContext]] = {'egl': _open_egl, 'osmesa': _open_osmesa}


def open_context(width: int, height: int) -> tuple[str, GLContext]:
    """Open a drawing context with the first backend that works.

    :param width: pixels of the largest picture.
    :param height: pixels of the largest picture.
    :return: the backend's name and the context, not yet current.
    :raises RenderingError: if none works, with each one's reason.
    """
    # Mesa's software rasterizer would start a thread per core; stations share a machine.
    os.environ.setdefault('LP_NUM_THREADS', '1')
    wanted = os.environ.get('MUJOCO_GL', '').lower()
    reasons = []
    for backend in (wanted,) if wanted in _OPENERS else BACKENDS:
        try:
            context = _OPENERS[backend](width, height)
            if backend == 'osmesa':  # MuJoCo's own code looks here for where OpenGL is
                os.environ['MUJOCO_GL'] = backend
            return backend, context
        # PyOpenGL reports a missing library as ImportError, AttributeError or its own errors.
        except Exception as error:  # noqa: BLE001
            reasons.append(f'{backend}: {type(error).__name__}: {error}')
            _forget_opengl()
    raise RenderingError(
        'no way to draw pictures (' + '; '.join(reasons) + '). On Debian or Ubuntu run: '
        'apt-get install libegl1 libgles2 libgl1-mesa-dri (or libosmesa6), '
        'or set MUJOCO_GL=disable to run without cameras'
    )


def _forget_opengl() -> None:
    """Let PyOpenGL be imported anew: it binds to one platform for good at its first import."""
    os.environ.pop('PYOPENGL_PLATFORM', None)
    for name in [name for name in sys.modules if name.split('.')[0] == 'OpenGL']:
        del sys.modules[name]
    for name in ('mujoco.egl', 'mujoco.egl.egl_ext', 'mujoco.osmesa'):
        sys.modules.pop(name, None)


def _leave(backend: str) -> None:
    """Let no context be current in this thread, so that another thread may use it."""
    if backend == 'egl':
        from mujoco.egl import egl_ext

        egl_ext.eglReleaseThread()


class Renderer:
    """Draws the cameras of one compiled bench; from any thread, but one at a time.

    :param model: the compiled bench.
    :param sizes: (width, height) in pixels of each camera's picture, by name.
    :param max_geoms: most shapes in a picture.
    :raises RenderingError: if nothing can draw here.
    """

    def __init__(
        self,
        model: mujoco.MjModel,
        sizes: Mapping[str, tuple[int, int]],
        *,
        max_geoms: int = 2000,
    ) -> None:
        self._model, self._sizes = model, dict(sizes)
        width = max((size[0] for size in self._sizes.values()), default=1)
        height = max((size[1] for size in self._sizes.values()), default=1)
        model.vis.global_.offwidth = max(model.vis.global_.offwidth, width)
        model.vis.global_.offheight = max(model.vis.global_.offheight, height)
        self._scenes = {name: mujoco.MjvScene(model, maxgeom=max_geoms) for name in self._sizes}
        self._option = mujoco.MjvOption()
        self._option.sitegroup[:] = 0
        self._perturbation = mujoco.MjvPerturb()
        self.backend, self._context = open_context(width, height)
        self._context.make_current()
        self._drawing: mujoco.MjrContext | None = mujoco.MjrContext(
            model, mujoco.mjtFontScale.mjFONTSCALE_100
        )
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._drawing)
        _leave(self.backend)

    def expose(
        self, data: mujoco.MjData, name: str, *, camera: mujoco.MjvCamera | None = None
    ) -> None:
        """Keep what a camera sees now, to be drawn by the next :meth:`develop`.

        :param data: the state.
        :param name: the camera.
        :param camera: a free camera to use in the place of the model's.
        """
        if camera is None:
            camera = mujoco.MjvCamera()
            camera.type = mujoco.mjtCamera.mjCAMERA_FIXED
            camera.fixedcamid = self._model.camera(name).id
        mujoco.mjv_updateScene(
            self._model,
            data,
            self._option,
            self._perturbation,
            camera,
            mujoco.mjtCatBit.mjCAT_ALL,
            self._scenes[name],
        )

    def develop(self, name: str) -> np.ndarray:
        """Draw what was exposed: a new (height, width, 3) uint8 RGB picture."""
        if self._drawing is None:
            raise RenderingError('the renderer is closed')
        self._context.make_current()
        width, height = self._sizes[name]
        picture = np.empty((height, width, 3), np.uint8)
        area = mujoco.MjrRect(0, 0, width, height)
        mujoco.mjr_render(area, self._scenes[name], self._drawing)
        mujoco.mjr_readPixels(picture, None, area, self._drawing)
        _leave(self.backend)
        return np.ascontiguousarray(picture[::-1])  # OpenGL starts at the lower edge

    def render(self, data: mujoco.MjData, name: str) -> np.ndarray:
        """Expose and develop at once."""
        self.expose(data, name)
        return self.develop(name)

    def close(self) -> None:
        """Give the context back before the interpreter ends. May be repeated."""
        if self._drawing is not None:
            self._context.make_current()
            self._drawing.free()
            self._drawing = None
            self._context.free()

    def __enter__(self) -> Renderer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def photograph(
    spec: mujoco.MjSpec,
    data: mujoco.MjData,
    *,
    meshes: Mapping[str, Path],
    position: tuple[float, float, float],
    target: tuple[float, float, float],
    vertical_fov: float = 40.0,
    width: int = 1280,
    height: int = 800,
) -> np.ndarray:
    """Take one picture worth printing, with fine meshes, shadows and smooth edges.

    :param spec: what the bench was compiled from; it is copied.
    :param data: the state to show.
    :param meshes: STL file by mesh name, finer than the cameras' own.
    :param position: m, where the photographer stands in ``world``.
    :param target: m, what is in the middle.
    :param vertical_fov: degrees.
    :return: (height, width, 3) uint8 RGB.
    """
    spec = spec.copy()
    for mesh in spec.meshes:
        if mesh.name in meshes:
            mesh.file = str(meshes[mesh.name])
    spec.visual.quality.shadowsize = 4096
    spec.visual.quality.offsamples = 8
    spec.visual.quality.numquads = 16
    for light in spec.lights:
        light.type = mujoco.mjtLightType.mjLIGHT_SPOT
        light.castshadow = light.name == 'ceiling'
        light.diffuse = 1.25 * np.asarray(light.diffuse)
    model = spec.compile()
    model.vis.global_.offwidth, model.vis.global_.offheight = width, height
    state = mujoco.MjData(model)
    state.qpos[:], state.mocap_pos[:] = data.qpos, data.mocap_pos
    state.mocap_quat[:] = data.mocap_quat
    mujoco.mj_forward(model, state)
    camera = mujoco.MjvCamera()
    offset = np.asarray(position, float) - np.asarray(target, float)
    distance = float(np.linalg.norm(offset))
    camera.type = mujoco.mjtCamera.mjCAMERA_FREE
    camera.lookat[:] = target
    camera.distance = distance
    camera.azimuth = float(np.rad2deg(np.arctan2(-offset[1], -offset[0])))
    camera.elevation = float(np.rad2deg(np.arcsin(-offset[2] / distance)))
    model.vis.global_.fovy = vertical_fov
    with contextlib.closing(Renderer(model, {'picture': (width, height)})) as renderer:
        renderer.expose(state, 'picture', camera=camera)
        return renderer.develop('picture')
