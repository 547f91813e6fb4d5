"""One reset of a task on a simulated station of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from enpire_nodes.common.cameras import cameras_from_settings
from enpire_nodes.common.errors import StationError
from enpire_nodes.drivers.simulated.station import SimulatedStation
from enpire_nodes.environment.acceptance.judged import ResetTried
from enpire_nodes.simulation.settings import CONTROL_RATE
from enpire_nodes.tasks.api import Task

_LIMIT = 180.0  # s of the station's clock, for a reset that never ends


def try_reset(
    task: Task, station_settings: Mapping[str, Any], placement: str, seed: int
) -> ResetTried:
    """Reset a scene with the arm, and say how it went.

    :param station_settings: content of a file of ``config/stations``.
    :param placement: how the object lies before it.
    :param seed: of the scene, the sensors and the starting pose.
    """
    cameras = cameras_from_settings(station_settings['cameras'])
    with SimulatedStation(task, station_settings, seed=seed, placement=placement) as station:
        program = task.reset({name: cameras[name] for name in task.cameras}, seed=seed)
        next(program)
        observation = station.observe()
        try:
            while station.now < _LIMIT:
                observation = station.step(program.send(observation))
        except StopIteration as stop:
            report = stop.value
            return ResetTried(placement, seed, True, report.duration, report.recoveries)
        except StationError as error:
            return ResetTried(
                placement, seed, False, station.now, getattr(error, 'recoveries', ()), str(error)
            )
        finally:
            program.close()
    seconds = round(_LIMIT * CONTROL_RATE) / CONTROL_RATE
    return ResetTried(placement, seed, False, seconds, (), f'it was not done after {_LIMIT:.0f} s')
