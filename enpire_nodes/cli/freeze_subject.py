"""The environment that a station of a configuration has, with the parameters of its nodes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from enpire_nodes.bringup.configuration import RESERVED, StationConfiguration
from enpire_nodes.bringup.nodes import station_nodes
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.environment.context import shipped_settings
from enpire_nodes.environment.contract.guard import DRIVER
from enpire_nodes.environment.contract.subject import Subject, subject_of
from enpire_nodes.environment.setup import judge_setup

#: Parameters that say where files are, which are frozen themselves, or how a node is started.
_NOT_FROZEN = {*RESERVED, 'autostart', 'weights_file'}
#: Those of the driver that change nothing of what reset and judge see.
_NOT_SEEN = {'placement', 'extra_cameras', 'jpeg_quality', 'publish_ground_truth'}
#: How the names of those begin with which the judge was measured.
_MEASURED = ('noise.', 'faults.', 'camera_rate')


def subject_of_station(configuration: StationConfiguration) -> Subject:
    """Return the environment that a station of this configuration would have.

    :raises StationError: ENVIRONMENT_MANIFEST_INVALID or ENVIRONMENT_WEIGHTS_UNUSABLE, a file of
        it cannot be used.
    """
    # where a station names none, its nodes take the settings that ship with the task
    task_file = configuration.task_file or shipped_settings(configuration.task)
    files = {
        'limits': configuration.limits_file,
        'station': configuration.station_file,
        'task': task_file,
        'weights': configuration.weights_file,
    }
    invalid = ErrorCode.ENVIRONMENT_MANIFEST_INVALID
    setup = judge_setup(
        configuration.task, task_file, files['station'], files['weights'], otherwise=invalid
    )
    try:
        frozen = _defaults(configuration)
    except ValueError as error:
        raise StationError(invalid, f'{files["station"]} cannot be frozen: {error}') from error
    given = {node.name: node.parameters for node in station_nodes(configuration)}
    return subject_of(
        setup,
        settings=files,
        parameters={
            name: {key: given.get(name, {}).get(key, value) for key, value in defaults.items()}
            for name, defaults in frozen.items()
        },
    )


def require_measured_driver(configuration: StationConfiguration, subject: Subject) -> None:
    """Refuse to freeze a simulated driver that senses otherwise than when the judge was measured.

    :raises StationError: ENVIRONMENT_NOT_ACCEPTED; names the parameter.
    """
    usual = _defaults(configuration).get(DRIVER, {})
    for name, value in subject.parameters.get(DRIVER, {}).items():
        if name.startswith(_MEASURED) and value != usual[name]:
            raise StationError(
                ErrorCode.ENVIRONMENT_NOT_ACCEPTED,
                f'the driver would run with {name} = {value}, but the judge was measured with '
                f'{usual[name]}: leave it out of the parameters of {configuration.source}; noise '
                f'belongs into {configuration.station_file}, before the judge is measured',
            )


def _defaults(configuration: StationConfiguration) -> dict[str, dict[str, Any]]:
    """Return the values of every frozen parameter, by node, where nobody gives another one."""
    # nodes need ROS, which a check of a configuration does not
    from enpire_nodes.environment import reward_classifier, safety_gate, scene_reset

    tables: dict[str, Iterable[Any]] = {
        'safety_gate': safety_gate.PARAMETERS,
        'scene_reset': scene_reset.PARAMETERS,
        'reward_classifier': reward_classifier.PARAMETERS,
    }
    if configuration.driver == 'simulated':
        tables[DRIVER] = _driver_table(configuration.station_file)
    return {
        node: {
            spec.name: spec.default
            for spec in table
            if spec.name not in _NOT_FROZEN and not (node == DRIVER and spec.name in _NOT_SEEN)
        }
        for node, table in tables.items()
    }


def _driver_table(station_file: Path) -> Iterable[Any]:
    from enpire_nodes.drivers.simulated import parameters
    from enpire_nodes.simulation.settings import BenchSettings, load_station

    settings = BenchSettings.from_mapping(load_station(station_file))
    return (
        *parameters.DRIVER,
        *parameters.noise_parameters(settings.noise),
        *parameters.camera_fault_parameters(settings.cameras),
    )
