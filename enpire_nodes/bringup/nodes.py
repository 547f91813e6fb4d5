"""From a station's configuration to its nodes and processes: the one place where it is wired.

``launch/station.launch.py`` maps the result to ``launch_ros`` actions, and
:mod:`enpire_nodes.bringup.station` starts the same processes on machines without it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from enpire_nodes.bringup.configuration import Respawn, StationConfiguration
from enpire_nodes.bringup.parameters import parameters_text
from enpire_nodes.bringup.table import (
    AUDITED_PARTNERS,
    AUDITOR,
    EVERY_NODE,
    NODES,
    ROBOT_UTILIZATION,
    SUPERVISOR,
)
from enpire_nodes.common.files import config_file
from enpire_nodes.common.writing import write_atomically

PACKAGE = 'enpire'
CONTAINER = 'station_container'
#: Of every process, unless its caller has set it already. Seven share two cores: more threads
#: would only wait for each other.
ENVIRONMENT = {
    'OMP_NUM_THREADS': '1',
    'OPENBLAS_NUM_THREADS': '1',
    'FASTRTPS_DEFAULT_PROFILES_FILE': str(config_file('fastdds.xml')),
}


@dataclass(frozen=True, slots=True)
class NodeSpec:
    """One node.

    :param executable: of the package ``enpire``.
    :param name: node name.
    :param namespace: absolute.
    :param parameters: all values that it is given; names are dotted.
    :param meant: parameters that a person gave for this node, so that it must have them.
    :param remappings: pairs of names, from and to.
    :param respawn: when it is started again after it died.
    :param group: process that it lives in.
    """

    executable: str
    name: str
    namespace: str
    parameters: Mapping[str, Any]
    meant: tuple[str, ...]
    remappings: tuple[tuple[str, str], ...]
    respawn: Respawn
    group: str

    @property
    def full_name(self) -> str:
        """Fully qualified name, as in the graph."""
        return f'{self.namespace}/{self.name}'


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """One process and the nodes in it."""

    name: str
    nodes: tuple[NodeSpec, ...]

    @property
    def executable(self) -> str:
        """Executable of the package ``enpire``."""
        return self.nodes[0].executable if len(self.nodes) == 1 else CONTAINER

    @property
    def arguments(self) -> tuple[str, ...]:
        """Arguments before those of ROS: the names of the nodes of a container."""
        return () if len(self.nodes) == 1 else tuple(node.name for node in self.nodes)

    @property
    def namespace(self) -> str:
        """Namespace of its nodes."""
        return self.nodes[0].namespace

    @property
    def respawn(self) -> Respawn:
        """When it is started again after it died."""
        return self.nodes[0].respawn

    @property
    def remappings(self) -> tuple[tuple[str, str], ...]:
        """Pairs of names, from and to; the first names its node where several live here."""
        if len(self.nodes) == 1:
            return self.nodes[0].remappings
        return tuple(
            (f'{node.name}:{source}', target)
            for node in self.nodes
            for source, target in node.remappings
        )


def station_nodes(configuration: StationConfiguration) -> tuple[NodeSpec, ...]:
    """Return the nodes of a station, in the order in which they are started."""
    group_of = {name: '+'.join(group) for group in configuration.groups for name in group}
    derived = _derived(configuration)
    for_all = dict(configuration.remappings.get('all', {}))
    if configuration.own_clock:
        for_all.setdefault('/clock', 'clock')
    specs = []
    for name in configuration.nodes:
        entry = NODES[name]
        given = {key: derived[key] for key in (*EVERY_NODE, *entry.derived)}
        if name == 'safety_gate' and configuration.driver == 'external':
            given['driver'] = ''  # it sends no heartbeat; its arm states are watched
        if name == 'trial_runner' and AUDITOR in configuration.nodes:
            given['partners'] = list(AUDITED_PARTNERS)
        remappings = {**for_all, **configuration.remappings.get(name, {})}
        if name == 'trial_runner' and SUPERVISOR in configuration.nodes:
            remappings.setdefault(*ROBOT_UTILIZATION)
        specs.append(
            NodeSpec(
                executable=entry.executable,
                name=name,
                namespace=configuration.namespace,
                parameters={**given, **configuration.parameters.get(name, {})},
                meant=configuration.meant.get(name, ()),
                remappings=tuple(remappings.items()),
                respawn=configuration.respawn,
                group=group_of[name],
            )
        )
    return tuple(specs)


def station_processes(nodes: Sequence[NodeSpec]) -> tuple[ProcessSpec, ...]:
    """Return the processes that hold ``nodes``, in the order in which they are started."""
    groups: dict[str, list[NodeSpec]] = {}
    for node in nodes:
        groups.setdefault(node.group, []).append(node)
    return tuple(ProcessSpec(name, tuple(members)) for name, members in groups.items())


def write_parameters(configuration: StationConfiguration, nodes: Sequence[NodeSpec]) -> Path:
    """Write the parameters of all nodes into the run directory, and return the file.

    Every process reads this one file; it is also the record of what the station ran with.

    :raises OSError: it cannot be written.
    """
    file = configuration.run / 'log' / 'parameters.yaml'
    file.parent.mkdir(parents=True, exist_ok=True)
    text = parameters_text(
        {node.full_name: node.parameters for node in nodes},
        f'what {configuration.source} gave each node; written at every start',
    )
    write_atomically(file, text.encode())
    return file


def _derived(configuration: StationConfiguration) -> dict[str, Any]:
    return {
        'use_sim_time': configuration.pace != 'realtime',
        'pace': configuration.pace,
        'speed': configuration.speed,
        'task': configuration.task,
        'task_file': str(configuration.task_file or ''),
        'station_file': str(configuration.station_file),
        'weights_file': str(configuration.weights_file or ''),
        'limits_file': str(configuration.limits_file),
        'run_directory': str(configuration.run),
        'seed': configuration.seed,
        'manifest': str(configuration.manifest or ''),
    }
