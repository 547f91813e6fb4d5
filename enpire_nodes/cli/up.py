"""``enpire up``: one station in the foreground, until Ctrl-C."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
import contextlib
import os
import signal
import sys
import time
from types import FrameType
from typing import Any

from rich.console import Console
import yaml

from enpire_nodes.bringup.configuration import (
    ConfigurationError,
    load_configuration,
    PACES,
    StationConfiguration,
)
from enpire_nodes.bringup.logs import LogFollower, LogLine
from enpire_nodes.bringup.nodes import station_nodes
from enpire_nodes.bringup.parameters import parameters_text
from enpire_nodes.bringup.table import COMPOSITIONS

HELP = 'bring a station up in the foreground'
_STYLES = {'WARN': 'yellow', 'ERROR': 'red', 'FATAL': 'bold red', 'DEBUG': 'dim'}
_POLL = 0.1  # s


def add_parser(subparsers: Any) -> None:
    """Add the command to the ``enpire`` parser."""
    parser = subparsers.add_parser('up', help=HELP, description=__doc__)
    parser.add_argument(
        'file', nargs='?', default='station_1', metavar='STATION',
        help='station file, or the name of one in config/stations (default: station_1)',
    )  # fmt: skip
    parser.add_argument('--station', metavar='NAME', help='name and namespace of the station')
    parser.add_argument('--pace', choices=PACES, help='who drives the time')
    parser.add_argument('--speed', type=float, help='times real time, with --pace scaled')
    parser.add_argument('--task', help='which installed task the station works on')
    parser.add_argument('--seed', type=int, help='of everything that is drawn at random')
    parser.add_argument('--manifest', metavar='FILE', help='of the frozen environment')
    parser.add_argument('--weights', metavar='FILE', help='of the learned eyes of the judge')
    parser.add_argument('--run', metavar='DIR', dest='directory', help='ledger, trials and logs')
    parser.add_argument(
        '--composition', choices=sorted(COMPOSITIONS), help='which nodes share a process'
    )
    parser.add_argument(
        '--set', action='append', default=[], metavar='NODE.PARAMETER=VALUE', dest='settings',
        help='set a parameter of a node; may be repeated',
    )  # fmt: skip
    parser.add_argument(
        '--timeout', type=float, default=90.0, metavar='S', help='until every node must be ready'
    )
    parser.add_argument(
        '--show', action='store_true', help='print the parameters of every node and start nothing'
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Bring the station up and keep it up; return the exit code."""
    try:
        configuration = load_configuration(
            args.file,
            station=args.station,
            pace=args.pace,
            speed=args.speed,
            task=args.task,
            seed=args.seed,
            run=args.directory,
            manifest=args.manifest,
            weights=args.weights,
            composition=args.composition,
            parameters=parse_settings(args.settings),
        )
    except ConfigurationError as error:
        return _say(f'enpire up: {error}', 2)
    if args.show:
        values = {node.full_name: node.parameters for node in station_nodes(configuration)}
        sys.stdout.write(parameters_text(values, f'from {configuration.source}'))
        return 0
    try:
        from enpire_nodes.bringup.station import (
            StationNotReadyError,
            StationProcesses,
            StationTakenError,
        )
    except ImportError as error:
        return _say(
            f'enpire up: {error}. ROS 2 and enpire_msgs are not on the path: source '
            'install/local_setup.bash (make setup builds it)',
            1,
        )
    console = Console(highlight=False, soft_wrap=True)
    station = StationProcesses(
        configuration, report=lambda line: console.print(f'bring-up: {line}', markup=False)
    )
    follower = LogFollower(station.logs())
    with _stop_signals() as asked:
        try:
            began = time.monotonic()
            with station:
                ready = False
                while not asked and station.running:
                    _echo(console, follower.poll())
                    if not ready and station.ready():
                        ready = True
                        console.print(what_next(configuration, time.monotonic() - began))
                    if not ready and time.monotonic() - began > args.timeout:
                        station.wait_ready(0.0)
                    time.sleep(_POLL)
                if not asked:
                    station.wait_ready(0.0)
                console.print(f'stopping {configuration.namespace}')
        except (StationTakenError, StationNotReadyError, OSError) as error:
            _echo(console, follower.poll())
            return _say(f'enpire up: {error}', 1)
    _echo(console, follower.poll())
    console.print(f'{configuration.namespace} is down')
    return 0


def parse_settings(settings: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Read ``node.parameter=value``; values are YAML, as in a parameter file.

    :raises ConfigurationError: it has another form.
    """
    result: dict[str, dict[str, Any]] = {}
    for setting in settings:
        name, equals, text = setting.partition('=')
        node, dot, parameter = name.strip().partition('.')
        if not (equals and dot and node and parameter):
            raise ConfigurationError('--set', setting, 'must be NODE.PARAMETER=VALUE')
        try:
            value = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise ConfigurationError('--set', name, f'{text!r} is not valid YAML') from error
        result.setdefault(node, {})[parameter] = '' if value is None else value
    return result


def what_next(configuration: StationConfiguration, seconds: float) -> str:
    """Say that the station is ready, and what a person can do with it."""
    ns = configuration.namespace
    nodes = len(configuration.nodes)
    domain = os.environ.get('ROS_DOMAIN_ID', '0')
    action = 'enpire_msgs/action/RunTrials'
    pace = configuration.pace
    if pace == 'scaled':
        pace += f' x{configuration.speed:g}'
    return f"""
{ns} is ready after {seconds:.1f} s: {nodes} nodes, {pace}, ROS domain {domain}
  run trials     enpire run --station {configuration.station} --trials 10
                 ros2 action send_goal {ns}/run_trials {action} "{{trials: 10}}"
  watch          ros2 topic echo {ns}/station_state
  controller     ros2 param set {ns}/policy_executor controller scripted
  stop the arms  ros2 service call {ns}/safety_gate/estop std_srvs/srv/Trigger
  environment    {configuration.manifest or 'unfrozen: nothing keeps reset and judge as they are'}
  records        {configuration.run}  (enpire trials list {configuration.run})
  end            Ctrl-C
"""


def _echo(console: Console, lines: Sequence[LogLine]) -> None:
    for line in lines:
        console.print(str(line), style=_STYLES.get(line.level, ''), markup=False)


def _say(message: str, code: int) -> int:
    sys.stderr.write(message + '\n')
    return code


@contextlib.contextmanager
def _stop_signals() -> Iterator[list[int]]:
    """Collect the signals that ask us to stop, instead of being cut off by them."""
    asked: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        asked.append(number)

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, note) for number in numbers}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
