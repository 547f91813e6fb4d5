"""What of each camera's pictures a policy is shown, and hence kept of them."""

from __future__ import annotations

from dataclasses import replace

from enpire_nodes.common.cameras import cameras_from_settings
from enpire_nodes.common.files import config_file
from enpire_nodes.simulation.settings import load_station
from enpire_nodes.tasks.eye import Crop
from enpire_nodes.tasks.registry import load_task


def task_crops(task: str, station_file: str, size: int) -> dict[str, Crop]:
    """Return the crops of a task by camera, scaled to ``size`` px squares.

    :param station_file: with the cameras of the station.
    """
    cameras = cameras_from_settings(load_station(config_file(station_file))['cameras'])
    crops = load_task(task).crops(cameras)
    return {name: replace(crop, size=size) for name, crop in crops.items()}
