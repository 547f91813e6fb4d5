"""Labelled evidence from the simulator, made quickly: scenes are set up by hand, then judged.

A bench is built once. Each episode restores it, moves its cameras and lights anew, sets the state
at which a policy might have ended, and lets physics and the task's own winding up do the rest:
what is felt is felt in contact, and what is seen is drawn afterwards. The label is the truth.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import mujoco
import numpy as np

from enpire_nodes.common.cameras import cameras_from_settings
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.types import Frame, Program
from enpire_nodes.drivers.simulated.staged_run import StagedRun, UnfitError
from enpire_nodes.environment.evidence import Evidence
from enpire_nodes.simulation.bench import ARMS, build_bench
from enpire_nodes.simulation.imperfection import disturb_lights
from enpire_nodes.simulation.kinematics import InverseKinematics
from enpire_nodes.simulation.noise import NoiseSettings, PixelNoise, stream
from enpire_nodes.simulation.rendering import Renderer
from enpire_nodes.simulation.settings import BenchSettings
from enpire_nodes.tasks.api import SettleReport
from enpire_nodes.tasks.staging import source_of, Stager

#: How episodes differ, at least; a station of which more is said makes them differ more.
NUDGE = 0.005  # m, furthest that a camera stands from where it is said to be
TURN = 0.002  # rad per axis, standard deviation of where it looks
LIGHT = 0.4  # share by which the brightness differs
PIXEL_SD = (1.0, 5.0)  # grey levels, range of the white noise
_FRAMES, _FRAME_RATE = 3, 10.0  # pictures of each camera, and how many a second
_DRAWS = 50


class StagedTask(Protocol):
    """A task of which episodes can be made."""

    arm: str
    cameras: tuple[str, ...]

    def build_scene(self, spec: mujoco.MjSpec, rng: np.random.Generator, placement: str) -> None:
        """Add the task's bodies to the bench."""

    def truth(self, model: mujoco.MjModel, data: mujoco.MjData) -> dict[str, Any]:
        """Return what is really so."""

    def settle(self, fixture: Any) -> Program[SettleReport]:
        """Return the program that winds an attempt up."""

    def stager(self) -> Stager:
        """Return who sets scenes up."""


@dataclass(frozen=True, slots=True, eq=False)
class Episode:
    """Evidence with its label, and how many scenes were dropped before it.

    :param redraws: scenes that came out otherwise than their kind says.
    """

    evidence: Evidence
    redraws: int


class EpisodeBench:
    """A simulated bench that is staged anew for every episode; a context manager.

    :param task: whose scenes.
    :param station_settings: content of a file of ``config/stations``.
    :raises RenderingError: if nothing can draw here.
    """

    def __init__(self, task: StagedTask, station_settings: Mapping[str, Any]) -> None:
        self._task, self._stager = task, task.stager()
        self._settings = BenchSettings.from_mapping(station_settings)
        self._noise = _at_least(self._settings.noise)
        self._cameras = cameras_from_settings(station_settings['cameras'])
        self._gap = round(self._settings.physics_rate / _FRAME_RATE)
        spec = build_bench(self._settings)
        task.build_scene(spec, stream(0, 'scene'), '')
        self._stager.add_props(spec)
        self.model = spec.compile()
        self.data = mujoco.MjData(self.model)
        self._pristine = _Pristine(self.model)
        self._solvers = {side: InverseKinematics(self.model, side) for side in ARMS}
        sizes = {
            name: (self._cameras[name].width, self._cameras[name].height) for name in task.cameras
        }
        self._renderer = Renderer(self.model, sizes)
        self._values = max(3 * width * height for width, height in sizes.values())

    def make(self, kind: str, seed: int) -> Episode:
        """Make the episode of a kind and a seed.

        :raises StationError: ENVIRONMENT_UNLABELLED, the kind does not come out as it says.
        """
        for redraws in range(_DRAWS):
            try:
                return Episode(self._attempt(kind, seed, redraws), redraws)
            except UnfitError:
                continue
        raise StationError(
            ErrorCode.ENVIRONMENT_UNLABELLED,
            f'{_DRAWS} scenes of the kind {kind!r} with seed {seed} came out otherwise than the '
            'kind says; check the staging of the task',
        )

    def close(self) -> None:
        """Give the drawing context back. May be repeated."""
        self._renderer.close()

    def __enter__(self) -> EpisodeBench:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _attempt(self, kind: str, seed: int, draw: int) -> Evidence:
        name = f'episode/{kind}/{draw}'
        try:
            staging = self._stager.stage(kind, self._cameras, stream(seed, name))
        except ValueError as error:
            raise StationError(
                ErrorCode.ENVIRONMENT_UNLABELLED, f'the kind {kind!r} cannot be staged: {error}'
            ) from error
        rng = stream(seed, f'{name}/senses')
        self._pristine.restore(self.model, self.data)
        disturb_lights(self.model, self._noise, stream(seed, f'{name}/lights'))
        _nudge_cameras(self.model, self._noise, stream(seed, f'{name}/cameras'))
        run = StagedRun(
            self.model, self.data, self._settings, self._task.arm, staging, rng, self._solvers
        )
        try:
            settled = run.play(self._task.settle(staging.fixture))
        except StationError as error:  # on a station nobody would judge it
            raise UnfitError from error
        label = self._label(kind)
        states = tuple(
            state
            for state in run.states
            if settled.settle_start <= state.stamp <= settled.settled + 1e-6
        )
        run.advance(int(rng.integers(self._gap)))
        pixels = PixelNoise(stream(seed, f'{name}/pixels'), self._values)
        deviation = rng.uniform(PIXEL_SD[0], self._noise.pixel_sd)
        frames: dict[str, list[Frame]] = {name: [] for name in self._task.cameras}
        for index in range(_FRAMES):
            if index:
                run.advance(self._gap)
            for name, taken in frames.items():
                picture = self._renderer.render(self.data, name)
                taken.append(Frame(run.now, pixels.apply(picture, deviation)))
        if self._label(kind) is not label:
            raise UnfitError
        return Evidence(
            frames={name: tuple(taken) for name, taken in frames.items()},
            states=states,
            settle_start=settled.settle_start,
            settled=settled.settled,
            now=run.now + 0.02,
            source=source_of(kind, seed),
            kind=kind,
            label=label,
        )

    def _label(self, kind: str) -> bool:
        """Return whether the scene is a success now."""
        truth = self._task.truth(self.model, self.data)
        if not self._stager.shows(kind, truth):
            raise UnfitError
        return bool(truth['success'])


class _Pristine:
    """What episodes change in a model, as it was compiled."""

    def __init__(self, model: mujoco.MjModel) -> None:
        headlight = model.vis.headlight
        self._kept = [
            (array, array.copy())
            for array in (
                model.cam_pos,
                model.cam_quat,
                model.light_diffuse,
                model.body_pos,
                model.body_quat,
                model.geom_rgba,
                model.actuator_forcerange,
                headlight.diffuse,
                headlight.ambient,
            )
        ]

    def restore(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        """Undo every change, and forget the state."""
        for array, content in self._kept:
            array[:] = content
        mujoco.mj_resetData(model, data)


def _at_least(noise: NoiseSettings) -> NoiseSettings:
    """Return the station's own errors, those of its looks no smaller than episodes need them."""
    return replace(
        noise,
        light_variation=max(noise.light_variation, LIGHT),
        camera_position_sd=max(noise.camera_position_sd, NUDGE),
        camera_angle_sd=max(noise.camera_angle_sd, TURN),
        pixel_sd=max(noise.pixel_sd, PIXEL_SD[1]),
    )


def _nudge_cameras(model: mujoco.MjModel, noise: NoiseSettings, rng: np.random.Generator) -> None:
    """Move every camera to any side, evenly up to the size of the error, and turn it a little."""
    for index in range(model.ncam):
        way = rng.standard_normal(3)
        far = rng.uniform(0.0, noise.camera_position_sd)
        model.cam_pos[index] += far * way / np.linalg.norm(way)
        quaternion = model.cam_quat[index].copy()
        mujoco.mju_quatIntegrate(quaternion, rng.standard_normal(3), noise.camera_angle_sd)
        model.cam_quat[index] = quaternion
