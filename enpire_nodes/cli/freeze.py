"""``enpire freeze``: write down, signed, what an accepted environment is; check it later."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path
import sys
from typing import Any

from rich.table import Table
import yaml

from enpire_nodes.bringup.configuration import (
    ConfigurationError,
    load_configuration,
    RESERVED,
    StationConfiguration,
)
from enpire_nodes.bringup.nodes import station_nodes
from enpire_nodes.cli.runs import console
from enpire_nodes.common.cameras import cameras_from_settings
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.environment.contract.freeze import freeze, MANIFEST
from enpire_nodes.environment.contract.guard import Guard
from enpire_nodes.environment.contract.manifest import Manifest
from enpire_nodes.environment.contract.subject import Subject, subject_of
from enpire_nodes.tasks.registry import load_task, task_names

HELP = 'freeze an accepted environment, so that a campaign may begin'
#: Nodes whose parameters are frozen; what they are called is what their specifications are in.
_FROZEN_NODES = ('safety_gate', 'scene_reset', 'reward_classifier')
#: Parameters that say where files are, which are frozen themselves, or how a node is started.
_NOT_FROZEN = {*RESERVED, 'autostart', 'weights_file'}


def add_parser(subparsers: Any) -> None:
    """Add the command to the ``enpire`` parser."""
    parser = subparsers.add_parser('freeze', help=HELP, description=__doc__)
    parser.add_argument('task', choices=task_names(), metavar='TASK', help='name of the task')
    parser.add_argument(
        '--station', default='station_1', metavar='STATION',
        help='station file, or the name of one in config/stations (default: station_1)',
    )  # fmt: skip
    parser.add_argument(
        '--report', type=Path, metavar='FILE',
        help='acceptance report, as `enpire environment measure` wrote it '
        '(default: environment/TASK/acceptance.json)',
    )  # fmt: skip
    parser.add_argument(
        '--weights', metavar='FILE',
        help='of the learned eyes of the judge (default: those that the station names)',
    )  # fmt: skip
    parser.add_argument(
        '--output', type=Path, metavar='DIR',
        help='new folder for the manifest and the report (default: frozen/TASK)',
    )  # fmt: skip
    parser.add_argument(
        '--check', action='store_true',
        help='write nothing: hold this station against the manifest in --output',
    )  # fmt: skip
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Freeze, or check; return the exit code."""
    try:
        configuration = load_configuration(args.station, task=args.task, weights=args.weights)
    except ConfigurationError as error:
        sys.stderr.write(f'enpire freeze: {error}\n')
        return 2
    subject = subject_of_station(configuration)
    output = args.output or Path('frozen') / args.task
    if args.check:
        manifest = Guard(output / MANIFEST, subject).manifest
        console().print(f'{output / MANIFEST}: everything is as it was frozen')
    else:
        report = args.report or Path('environment') / args.task / 'acceptance.json'
        manifest = freeze(subject, report, output)
        console().print(_table(manifest))
        console().print(_next(output / MANIFEST, args.weights), markup=False)
    return 0


def subject_of_station(configuration: StationConfiguration) -> Subject:
    """Return the environment that a station of this configuration would have.

    :raises StationError: ENVIRONMENT_MANIFEST_INVALID, a file of it cannot be used.
    """
    try:
        content = yaml.safe_load(configuration.station_file.read_text(encoding='utf-8'))
        cameras = cameras_from_settings(content['cameras'])
        task = load_task(configuration.task, configuration.task_file)
        used = {name: cameras[name] for name in task.cameras}
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError) as error:
        raise StationError(
            ErrorCode.ENVIRONMENT_MANIFEST_INVALID,
            f'the station {configuration.source} cannot be frozen: {error}',
        ) from error
    given = {node.name: node.parameters for node in station_nodes(configuration)}
    weights = given.get('reward_classifier', {}).get('weights_file')
    return subject_of(
        task,
        used,
        settings={
            'limits': configuration.limits_file,
            'station': configuration.station_file,
            'task': configuration.task_file,
            'weights': Path(weights) if weights else None,
        },
        parameters=_parameters(given),
    )


def _parameters(given: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the values that the nodes of the environment will have, by node."""
    # nodes need ROS, which a check of a configuration does not
    from enpire_nodes.environment import reward_classifier, safety_gate, scene_reset

    tables = (safety_gate, scene_reset, reward_classifier)
    return {
        name: {
            spec.name: given.get(name, {}).get(spec.name, spec.default)
            for spec in table.PARAMETERS
            if spec.name not in _NOT_FROZEN
        }
        for name, table in zip(_FROZEN_NODES, tables, strict=True)
    }


def _table(manifest: Manifest) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style='dim', no_wrap=True)
    table.add_column(overflow='fold')
    for name, value in _facts(manifest):
        table.add_row(name, value)
    return table


def _facts(manifest: Manifest) -> Iterator[tuple[str, str]]:
    yield 'environment', f'[bold]{manifest.digest}[/]'
    yield 'task', manifest.task
    code = [name for name in manifest.files if not name.startswith('settings/')]
    settings = sorted(set(manifest.files) - set(code))
    yield 'files', f'{len(code)} of code, and {", ".join(settings)}'
    libraries = (f'{name} {value.split()[0]}' for name, value in manifest.libraries.items())
    yield 'libraries', ', '.join(libraries)
    yield 'frozen', f'{manifest.frozen_at} by {manifest.frozen_by}'


def _next(path: Path, weights: str | None) -> str:
    named = f' --weights {weights}' if weights else ''
    return f"""
begin a campaign  enpire up --manifest {path}{named} --run runs/NEW
check it          enpire freeze --check (the same arguments)
a changed file stops the campaign; a new freeze is a new campaign, with a run of its own
"""
