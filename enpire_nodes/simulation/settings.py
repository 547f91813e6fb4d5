"""What a simulated bench is made of, read from a station's configuration and checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

from enpire_nodes.common.cameras import Camera, cameras_from_settings
from enpire_nodes.simulation.noise import NoiseSettings

#: Control periods a second; every command holds for one of them.
CONTROL_RATE = 30

_REQUIRED = {'physics', 'table', 'arms', 'cameras'}


class SettingsError(ValueError):
    """The station's configuration cannot be used; the message names the entry and the remedy."""


@dataclass(frozen=True, slots=True)
class ArmSettings:
    """Where an arm starts: ``home`` six joint angles in rad, ``gripper_width`` in m."""

    home: tuple[float, ...]
    gripper_width: float


@dataclass(frozen=True, slots=True)
class BodyCamera:
    """A camera that hangs on a body of the robot's model.

    :param body: name of the body, an optical frame with +z along the view.
    :param vertical_fov: rad.
    :param width: pixels.
    :param height: pixels.
    """

    body: str
    vertical_fov: float
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class BenchSettings:
    """Everything the bench is built from; lengths in m in ``world``, see ``config/stations``."""

    physics_rate: int
    mesh_cell: float
    wrench_filter: float
    table_centre: tuple[float, float]
    table_size: tuple[float, float]
    table_height: float
    arms: Mapping[str, ArmSettings]
    cameras: Mapping[str, Camera | BodyCamera]
    noise: NoiseSettings

    @property
    def control_steps(self) -> int:
        """Physics steps in one control period."""
        return self.physics_rate // CONTROL_RATE

    @classmethod
    def from_mapping(
        cls, settings: Mapping[str, Mapping], *, extra_cameras: tuple[str, ...] = ()
    ) -> BenchSettings:
        """Read a station's configuration; sections that belong to others are left alone.

        :param settings: the content of a file of ``config/stations``.
        :param extra_cameras: names out of ``optional_cameras`` that shall exist too.
        :raises SettingsError: for a missing section or an impossible value.
        """
        if missing := sorted(_REQUIRED - set(settings)):
            raise SettingsError(f'the station configuration lacks the section(s) {missing}')
        try:
            return cls._read(settings, extra_cameras)
        except KeyError as error:
            raise SettingsError(f'the station configuration lacks the entry {error}') from error
        except TypeError as error:
            raise SettingsError(f'the station configuration has a bad value: {error}') from error

    @classmethod
    def _read(cls, settings: Mapping, extra_cameras: tuple[str, ...]) -> BenchSettings:
        physics, table = settings['physics'], settings['table']
        rate = int(physics['rate_hz'])
        if rate <= 0 or rate % 300:
            raise SettingsError(
                f'physics.rate_hz is {rate}; make it a multiple of 300, so that both the control '
                'period (30 Hz) and the state (100 Hz) are whole numbers of steps'
            )
        cameras: dict[str, Camera | BodyCamera] = dict(cameras_from_settings(settings['cameras']))
        optional = settings.get('optional_cameras', {})
        for name in extra_cameras:
            if name not in optional:
                raise SettingsError(
                    f'there is no optional camera {name!r}; choose out of {sorted(optional)}'
                )
            cameras[name] = _optional_camera(name, optional[name])
        arms = {
            name: ArmSettings(tuple(map(float, entry['home'])), float(entry['gripper_width']))
            for name, entry in settings['arms'].items()
        }
        if set(arms) != {'left', 'right'} or any(len(arm.home) != 6 for arm in arms.values()):
            raise SettingsError("arms must be 'left' and 'right', each with six home angles")
        return cls(
            physics_rate=rate,
            mesh_cell=float(physics['mesh_cell']),
            wrench_filter=float(physics['wrench_filter']),
            table_centre=_pair(table['centre']),
            table_size=_pair(table['size']),
            table_height=float(table['height']),
            arms=arms,
            cameras=cameras,
            noise=NoiseSettings(**settings.get('noise', {})),
        )


def _pair(values: Sequence[float]) -> tuple[float, float]:
    first, second = values
    return float(first), float(second)


def _optional_camera(name: str, entry: Mapping) -> Camera | BodyCamera:
    if 'body' not in entry:
        return cameras_from_settings({name: entry})[name]
    return BodyCamera(
        str(entry['body']),
        float(np.deg2rad(entry['vertical_fov_deg'])),
        int(entry['width']),
        int(entry['height']),
    )


def load_station(path: Path | str) -> dict:
    """Return the content of a station's configuration file.

    :raises SettingsError: if it cannot be read or is no mapping.
    """
    try:
        content = yaml.safe_load(Path(path).read_text(encoding='utf-8'))
    except (OSError, yaml.YAMLError) as error:
        raise SettingsError(f'cannot read the station configuration {path}: {error}') from error
    if not isinstance(content, dict):
        raise SettingsError(f'the station configuration {path} is not a mapping of sections')
    return content
