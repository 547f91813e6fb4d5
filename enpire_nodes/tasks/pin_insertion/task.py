"""The pin task as the station knows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, TYPE_CHECKING

import numpy as np

from enpire_nodes.common.cameras import Camera
from enpire_nodes.common.types import Program
from enpire_nodes.tasks import eye, loading, motion
from enpire_nodes.tasks.api import Pose, Report, ResetReport, SettleReport
from enpire_nodes.tasks.eye import Crop, Eye
from enpire_nodes.tasks.pin_insertion import scene
from enpire_nodes.tasks.pin_insertion.crops import hole_crops
from enpire_nodes.tasks.pin_insertion.grasping import HAND_DOWN, SQUEEZE
from enpire_nodes.tasks.pin_insertion.observe import PinObserver
from enpire_nodes.tasks.pin_insertion.reset import Reset
from enpire_nodes.tasks.pin_insertion.second_opinion import PinSecondOpinion
from enpire_nodes.tasks.pin_insertion.settings import PinInsertionSettings
from enpire_nodes.tasks.pin_insertion.settle import Settle
from enpire_nodes.tasks.pin_insertion.staging import PinStager
from enpire_nodes.tasks.pin_insertion.verify import PinVerifier

if TYPE_CHECKING:
    import mujoco

#: Changing one of these changes what is measured; scene and staging are the simulation's alone.
_FROZEN = (
    'ballot',
    'classify',
    'clearance',
    'crops',
    'evidence',
    'grasping',
    'observe',
    'pin_pose',
    'reset',
    'segmentation',
    'settings',
    'settle',
    'task',
    'verify',
    'vision',
)


class PinInsertion:
    """Putting a pin into a hole; see :class:`~enpire_nodes.tasks.api.Task`.

    :param settings_file: YAML as ``config/tasks/pin_insertion.yaml``; None takes the defaults.
    :raises SettingsError: the file is bad.
    """

    name = 'pin_insertion'
    placements = scene.PLACEMENTS

    def __init__(self, settings_file: Path | str | None = None) -> None:
        self.settings = (
            PinInsertionSettings()
            if settings_file is None
            else loading.read_settings(PinInsertionSettings, settings_file)
        )

    @property
    def arm(self) -> str:
        """Name of the arm that works."""
        return self.settings.arm

    @property
    def cameras(self) -> tuple[str, ...]:
        """Names of the cameras that must be there."""
        return self.settings.cameras

    @property
    def hand_down(self) -> np.ndarray:
        """The (4,) xyzw orientation of the hand at the start of an attempt."""
        return HAND_DOWN.copy()

    @property
    def motion(self) -> dict[str, float]:
        """Numbers that controllers may use: m, N, m/s."""
        settings = self.settings
        return {
            'grasp_height': settings.grasp.height,
            'hover_height': settings.reset.hover,
            'hole_depth': settings.block.hole_depth,
            'success_depth': settings.verify.depth,
            'grip_effort': settings.grasp.effort,
            'grip_width': SQUEEZE,
            'max_speed': settings.reset.fast,
            'press_force': 4.0,
        }

    def digest(self) -> str:
        """Return the sha256 over the frozen code and the settings."""
        return self._digest

    @cached_property
    def _digest(self) -> str:
        here = Path(__file__).parent
        files = [here / f'{name}.py' for name in _FROZEN]
        shared = [Path(eye.__file__), Path(motion.__file__)]
        return loading.settings_digest(self.settings, [*files, *shared])

    def build_scene(
        self, spec: mujoco.MjSpec, rng: np.random.Generator, placement: str = ''
    ) -> None:
        """Add tray, block, cradle and pin to a simulated bench."""
        scene.build(spec, self.settings, rng, placement)

    def truth(self, model: mujoco.MjModel, data: mujoco.MjData) -> dict[str, Any]:
        """Return what is really so in a simulation; for tests and audits alone."""
        return scene.truth(model, data, self.settings)

    def reset(
        self, cameras: Mapping[str, Camera], *, seed: int, report: Report | None = None
    ) -> Program[ResetReport]:
        """Return the program that brings the pin over the hole."""
        return Reset(self.settings, cameras, seed=seed, report=report).run()

    def settle(self, fixture: Pose, *, report: Report | None = None) -> Program[SettleReport]:
        """Return the program that winds an attempt up."""
        return Settle(self.settings, fixture, report=report).run()

    def crops(self, cameras: Mapping[str, Camera]) -> dict[str, Crop]:
        """Return the window around the hole in each camera's picture."""
        return hole_crops(cameras, self.settings)

    def verifier(
        self, cameras: Mapping[str, Camera], eyes: Mapping[str, Eye] | None = None
    ) -> PinVerifier:
        """Return a judge, with learned eyes if there are some."""
        return PinVerifier(self.settings, cameras, eyes, digest=self.digest())

    def stager(self) -> PinStager:
        """Return who sets scenes up by hand in a simulation, to try the judge on."""
        return PinStager(self.settings)

    def second_opinion(self, cameras: Mapping[str, Camera]) -> PinSecondOpinion:
        """Return who looks at bags once more; nothing of it reaches judge, reset or policy."""
        return PinSecondOpinion(self.settings, cameras)

    def loosened(self) -> PinInsertion:
        """Return this task with thresholds that call almost anything a success; for drills."""
        kinder = replace(
            self.settings.verify, depth=0.002, depth_margin=0.001, resistance=0.3, free=0.1
        )
        task = PinInsertion()
        task.settings = replace(self.settings, verify=kinder)
        return task

    def observer(self, cameras: Mapping[str, Camera], fixture: Pose) -> PinObserver:
        """Return the eyes of a policy."""
        return PinObserver(self.settings, cameras, fixture)
