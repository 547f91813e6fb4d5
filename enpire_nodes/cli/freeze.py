"""``enpire freeze``: write down, signed, what an accepted environment is; check it later."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
import shlex
import sys
from typing import Any

from rich.table import Table

from enpire_nodes.bringup.configuration import (
    ConfigurationError,
    load_configuration,
    StationConfiguration,
)
from enpire_nodes.cli.freeze_subject import require_measured_driver, subject_of_station
from enpire_nodes.cli.runs import console
from enpire_nodes.environment.contract.freeze import freeze, MANIFEST
from enpire_nodes.environment.contract.guard import Guard
from enpire_nodes.environment.contract.libraries import LIBRARIES
from enpire_nodes.environment.contract.manifest import Manifest
from enpire_nodes.tasks.registry import task_names

HELP = 'freeze an accepted environment, so that a campaign may begin'


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
        configuration = _configuration(args)
    except ConfigurationError as error:
        sys.stderr.write(f'enpire freeze: {error}\n')
        return 2
    subject = subject_of_station(configuration)
    output = args.output or Path('frozen') / args.task
    if args.check:
        Guard(output / MANIFEST, subject)
        console().print(f'{output / MANIFEST}: everything is as it was frozen')
    else:
        require_measured_driver(configuration, subject)
        report = args.report or Path('environment') / args.task / 'acceptance.json'
        manifest = freeze(subject, report, output)
        console().print(_table(manifest))
        console().print(_next(args, output, manifest.digest), markup=False, soft_wrap=True)
    return 0


def _configuration(args: argparse.Namespace) -> StationConfiguration:
    configuration = load_configuration(args.station, task=args.task)
    if not args.weights:
        return configuration
    weights = Path(args.weights).expanduser().absolute()
    if not weights.is_file():
        raise ConfigurationError('--weights', '', f'there is no file {weights}')
    return replace(configuration, weights_file=weights)


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
    libraries = (f'{name} {manifest.libraries[name].split()[0]}' for name in LIBRARIES)
    yield 'libraries', ', '.join(libraries)
    yield 'frozen', f'{manifest.frozen_at} by {manifest.frozen_by}'


def _next(args: argparse.Namespace, output: Path, digest: str) -> str:
    weights = ['--weights', args.weights] if args.weights else []
    campaign = ['--manifest', str(output / MANIFEST), '--run', f'runs/{digest[:12]}']
    up = ['enpire', 'up', args.station, '--task', args.task, *weights, *campaign]
    check = ['enpire', 'freeze', args.task, '--station', args.station, *weights]
    return f"""
begin a campaign  {shlex.join(up)}
check it          {shlex.join([*check, '--output', str(output), '--check'])}
a changed file stops the campaign; a new freeze is a new campaign, with a run of its own
"""
