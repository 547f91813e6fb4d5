"""A station's configuration: one YAML file and what the command line overrides of it.

``config/stations/station_1.yaml`` explains every key. Files that it names are found relative to
it; the run directory relative to the working directory.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
import math
from pathlib import Path
import re
from typing import Any

from enpire_nodes.bringup.files import configuration_file
from enpire_nodes.bringup.parameters import check_value, flatten, read_parameters
from enpire_nodes.bringup.strict import ConfigurationError, read_yaml, Section, suggest
from enpire_nodes.bringup.table import COMPOSITIONS, NODES
from enpire_nodes.common.files import config_directory
from enpire_nodes.tasks.registry import task_names

__all__ = ['ConfigurationError', 'Respawn', 'StationConfiguration', 'load_configuration']

PACES = ('realtime', 'scaled', 'lockstep')
DRIVERS = ('simulated', 'external')

_NAME = re.compile(r'[A-Za-z][A-Za-z0-9_]*')
#: Parameters that bring-up itself derives from the station's configuration.
RESERVED = (
    'use_sim_time', 'pace', 'speed', 'task', 'task_file', 'station_file', 'limits_file',
    'weights_file', 'run_directory', 'seed', 'manifest',
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Respawn:
    """When a node that died is started again.

    :param delay: s before it is started again.
    :param limit: starts within ``window`` after which it is given up; 0 never starts it again.
    :param window: s.
    """

    delay: float = 0.5
    limit: int = 5
    window: float = 60.0


@dataclass(frozen=True, slots=True)
class StationConfiguration:
    """Everything that the bring-up of one station needs to know; made by `load_configuration`.

    :param source: the file it was read from.
    :param station: name; the namespace is ``/<station>``.
    :param task: name of the task plug-in.
    :param pace: who drives the time: realtime, scaled or lockstep.
    :param speed: times real time, for the pace ``scaled``.
    :param seed: of everything that is drawn at random.
    :param run: absolute directory of ledger, trials and logs.
    :param own_clock: whether the simulated clock is below the namespace instead of ``/clock``.
    :param driver: ``simulated``, or ``external`` for a robot that is brought up elsewhere.
    :param station_file: cameras, noise and arms; see ``config/stations/simulated.yaml``.
    :param limits_file: of the safety gate.
    :param task_file: settings of the task; None takes those that ship with it.
    :param manifest: of the frozen environment; None where nothing is frozen.
    :param weights_file: of the learned eyes of the judge; None where it has none.
    :param nodes: names of the nodes to start.
    :param groups: names of the nodes of each process, in the order of starting.
    :param respawn: when a node that died is started again.
    :param parameters: values by node, from parameter files and the station's own file.
    :param meant: of these, which a person gave for that very node, so that it must have them.
    :param remappings: names by node (or ``all``), from and to.
    """

    source: str
    station: str
    task: str
    pace: str
    speed: float
    seed: int
    run: Path
    own_clock: bool
    driver: str
    station_file: Path
    limits_file: Path
    task_file: Path | None
    nodes: tuple[str, ...]
    groups: tuple[tuple[str, ...], ...]
    respawn: Respawn = Respawn()
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    meant: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    remappings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    manifest: Path | None = None
    weights_file: Path | None = None

    @property
    def namespace(self) -> str:
        """Namespace of the station's nodes, with its slash."""
        return f'/{self.station}'


def load_configuration(
    path: Path | str = 'station_1',
    *,
    parameters: Mapping[str, Mapping[str, Any]] | None = None,
    weights: Path | str | None = None,
    **overrides: Any,
) -> StationConfiguration:
    """Read and check a station's configuration.

    :param path: the file, or the name of one in ``config/stations``.
    :param parameters: values by node, over those of the file.
    :param weights: of the learned eyes of the judge, instead of those below ``files``.
    :param overrides: keys of the file to set instead (station, task, pace, speed, seed, run,
        manifest, own_clock, driver, composition, nodes); None leaves a key as it is.
    :raises ConfigurationError: names the file, the key and the reason.
    """
    file = configuration_file(path)
    content = dict(read_yaml(file))
    content.update({key: value for key, value in overrides.items() if value is not None})
    if isinstance(content.get('run'), Path):
        content['run'] = str(content['run'])
    if overrides.get('manifest'):
        # a path that a person types is relative to where they are, not to the station's file
        content['manifest'] = str(Path(overrides['manifest']).expanduser().absolute())
    if weights:
        named = content.get('files') or {}
        if isinstance(named, Mapping):  # else it is refused below
            content['files'] = {**named, 'weights': str(Path(weights).expanduser().absolute())}
    top = Section(str(file), content)

    station = top.take('station', 'station_1', check=_check_name)
    driver = top.take('driver', 'simulated', check=_one_of(DRIVERS))
    task = top.take('task', 'pin_insertion', check=_one_of(task_names()))
    files, respawn = top.section('files'), top.section('respawn')
    nodes = _nodes(top, driver)
    shared = read_parameters(
        _files(top, 'parameter_files', file), f'/{station}', nodes, list(NODES)
    )
    values, meant = _parameters(top, nodes, *shared, parameters or {})
    configuration = StationConfiguration(
        source=str(file),
        station=station,
        task=task,
        pace=top.take('pace', 'realtime', check=_one_of(PACES)),
        speed=top.take('speed', 1.0, check=_within(0.1, 20.0)),
        seed=top.take('seed', 1, check=_within(0, 2**31 - 1)),
        run=Path(top.take('run', 'runs/{station}').replace('{station}', station)).absolute(),
        own_clock=top.take('own_clock', False),
        driver=driver,
        station_file=_file(files, 'station', file, 'simulated.yaml'),
        limits_file=_file(files, 'limits', file, '../safety/yam.yaml'),
        task_file=_file(files, 'task', file, '') or _shipped_settings(task),
        weights_file=_file(files, 'weights', file, ''),
        nodes=nodes,
        groups=_groups(top, nodes),
        respawn=Respawn(
            delay=respawn.take('delay', 0.5, check=_within(0.0, 60.0)),
            limit=respawn.take('limit', 5, check=_within(0, 1000)),
            window=respawn.take('window', 60.0, check=_within(1.0, 86400.0)),
        ),
        parameters=values,
        meant=meant,
        remappings=_remappings(top, nodes),
        manifest=_file(top, 'manifest', file, ''),
    )
    for section in (top, files, respawn):
        section.finish()
    if configuration.driver == 'external' and configuration.pace != 'realtime':
        raise top.error('pace', 'a robot that is brought up elsewhere runs in realtime only')
    if configuration.manifest and not _executor_alone(configuration.groups):
        raise top.error(
            'composition', 'policy_executor loads controllers, which are not frozen: with a '
            'manifest it needs a process of its own'
        )  # fmt: skip
    return configuration


def _executor_alone(groups: tuple[tuple[str, ...], ...]) -> bool:
    return all(len(group) == 1 for group in groups if 'policy_executor' in group)


def _nodes(top: Section, driver: str) -> tuple[str, ...]:
    default = [name for name in NODES if driver == 'simulated' or name != 'driver']
    names = top.take('nodes', default)
    for name in names:
        if name not in default:
            if name == 'driver':
                raise top.error('nodes', 'driver: external starts no driver; leave it out')
            raise top.error('nodes', f'{name!r} is unknown; {suggest(str(name), default)}')
    if len(set(names)) != len(names):
        raise top.error('nodes', 'names a node twice')
    if not names:
        raise top.error('nodes', 'names no node')
    return tuple(name for name in NODES if name in names)


def _groups(top: Section, nodes: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    value = top.take('composition', 'default', kind=object)
    if isinstance(value, str):
        if value not in COMPOSITIONS:
            raise top.error(
                'composition', f'{value!r} is neither a list of groups nor one of the ready ones; '
                f'{suggest(value, COMPOSITIONS)}'
            )  # fmt: skip
        value = COMPOSITIONS[value]
    elif not isinstance(value, list) or not all(isinstance(group, list) for group in value):
        raise top.error('composition', 'must be a list of lists of node names, one a process')
    named = [name for group in value for name in group]
    for name in named:
        if name not in NODES:
            raise top.error('composition', f'{name!r} is unknown; {suggest(str(name), NODES)}')
        if named.count(name) > 1:
            raise top.error('composition', f'{name} is in two groups')
    kept = (tuple(name for name in group if name in nodes) for group in value)
    alone = tuple((name,) for name in nodes if name not in named)
    return tuple(sorted((*filter(None, kept), *alone), key=lambda group: nodes.index(group[0])))


def _parameters(
    top: Section,
    nodes: tuple[str, ...],
    values: dict[str, dict[str, Any]],
    meant: dict[str, set[str]],
    overrides: Mapping[str, Mapping[str, Any]],
) -> tuple[dict[str, dict[str, Any]], dict[str, tuple[str, ...]]]:
    section = top.section('parameters')
    for name in overrides:
        if name not in nodes:
            raise section.error(name, f'no such node is started; {suggest(name, nodes)}')
    for name in NODES:
        own = flatten(section.section(name).rest()) | flatten(overrides.get(name, {}))
        if name in nodes:
            values[name] |= own
            meant[name] |= set(own)
        for key, value in own.items():
            check_value(section, f'{name}.{key}', value)
    section.finish()
    for name, entries in values.items():
        for key in entries:
            if key in RESERVED:
                raise section.error(
                    f'{name}.{key}', 'belongs to the whole station: set it at the top of the file'
                )
    return values, {name: tuple(sorted(keys)) for name, keys in meant.items()}


def _remappings(top: Section, nodes: tuple[str, ...]) -> dict[str, dict[str, str]]:
    section = top.section('remappings')
    result = {}
    for name in ('all', *NODES):
        names = section.section(name).rest()
        for source, target in names.items():
            if not isinstance(source, str) or not isinstance(target, str) or not target:
                raise section.error(f'{name}.{source}', 'must map a name to a name')
        if names and name in ('all', *nodes):
            result[name] = names
    section.finish()
    return result


def _shipped_settings(task: str) -> Path | None:
    path = config_directory() / 'tasks' / f'{task}.yaml'
    return path if path.is_file() else None


def _file(files: Section, key: str, base: Path, default: str) -> Path | None:
    value = files.take(key, default)
    if not value:
        return None
    path = (base.parent / value).resolve()
    if not path.is_file():
        raise files.error(key, f'there is no file {path}')
    return path


def _files(top: Section, key: str, base: Path) -> tuple[Path, ...]:
    paths = []
    for entry in top.take(key, []):
        path = (base.parent / str(entry)).resolve()
        if not path.is_file():
            raise top.error(key, f'there is no file {path}')
        paths.append(path)
    return tuple(paths)


def _check_name(value: str) -> str:
    if _NAME.fullmatch(value):
        return ''
    return f'{value!r} is no ROS name: letters, digits and "_", starting with a letter'


def _one_of(choices: tuple[str, ...] | list[str]) -> Any:
    def check(value: str) -> str:
        return '' if value in choices else f'{value!r} is not one of {", ".join(choices)}'

    return check


def _within(low: float, high: float) -> Any:
    def check(value: float) -> str:
        fine = math.isfinite(value) and low <= value <= high
        return '' if fine else f'{value!r} is not within {low} ... {high}'

    return check
