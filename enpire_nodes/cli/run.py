"""``enpire run``: have a running station do trials, and watch it."""

from __future__ import annotations

import argparse
import sys
from typing import Any

import yaml

HELP = 'run trials on a station that is up'
_CODES = {'COMPLETED': 0, 'STOPPED': 1, 'CANCELED': 130}


def add_parser(subparsers: Any) -> None:
    """Add the command to the ``enpire`` parser."""
    parser = subparsers.add_parser('run', help=HELP, description=__doc__)
    parser.add_argument('-n', '--trials', type=int, default=10, help='how many (default: 10)')
    parser.add_argument(
        '--attempts', type=int, default=0, help='most attempts of a trial, 1 to 8 (default: 8)'
    )
    parser.add_argument('--controller', default='', help='default: the one the station has now')
    parser.add_argument(
        '--set', action='append', default=[], metavar='SETTING=VALUE', dest='settings',
        help='a setting of the controller; may be repeated',
    )  # fmt: skip
    parser.add_argument(
        '--seeds', type=int, nargs='+', default=[], help='of the starting poses, one per trial'
    )
    parser.add_argument('--station', default='/station_1', help='namespace (default: /station_1)')
    parser.add_argument(
        '--request', default='', help='identifier; the same one goes on where it was'
    )
    parser.add_argument('--requester', default='operator', help='who asks')
    parser.add_argument('--idea', default='', help='the hypothesis under test')
    parser.add_argument('--commit', default='', help='of the recipe')
    parser.add_argument(
        '--confirm',
        action='store_true',
        help='declare the trials as a confirmation block before the first one',
    )
    parser.add_argument(
        '--wait', type=float, default=60.0, metavar='S', help='for the station to take the request'
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Send the request, show the station until it is done, and return the exit code."""
    from enpire_msgs.action import RunTrials
    from enpire_nodes.cli.client import StationLink
    from enpire_nodes.cli.live import make_view
    from enpire_nodes.cli.runs import console as make_console
    from enpire_nodes.rollout.messages import parameter_messages
    from enpire_nodes.rollout.trial.requests import new_request_id, RequestOutcome

    try:
        settings = parse_settings(args.settings)
    except ValueError as error:
        sys.stderr.write(f'enpire run: {error}\n')
        return 2
    goal = RunTrials.Goal(
        request_id=args.request or new_request_id(),
        requester=args.requester,
        trials=max(0, args.trials),
        max_attempts=max(0, args.attempts),
        controller=args.controller,
        controller_parameters=parameter_messages(settings),
        seeds=args.seeds,
        idea=args.idea,
        commit=args.commit,
        confirmation=args.confirm,
    )
    console = make_console()
    with StationLink(args.station) as link:
        with make_view(console, f'{args.station} · request {goal.request_id}') as view:
            result = link.run(goal, show=view.show, patience=args.wait)
        console.print(result_table(result, goal))
    outcome = RequestOutcome(result.outcome).name
    if outcome != 'COMPLETED':
        sys.stderr.write(f'enpire run: {outcome.lower()}: {result.message}\n')
        sys.stderr.write(f'go on with the same trials: --request {result.request_id}\n')
    return _CODES.get(outcome, 1)


def parse_settings(settings: list[str]) -> dict[str, Any]:
    """Read ``setting=value``; values are YAML scalars.

    :raises ValueError: it has another form.
    """
    values = {}
    for setting in settings:
        name, equals, text = setting.partition('=')
        if not (name and equals):
            raise ValueError(f'--set {setting}: must be SETTING=VALUE')
        value = yaml.safe_load(text)
        if not isinstance(value, bool | int | float | str):
            raise ValueError(f'--set {setting}: {text!r} is no number, word or true/false')
        values[name.strip()] = value
    return values


def result_table(result: Any, goal: Any) -> Any:
    """Return what came of a request as a table."""
    from rich.table import Table

    from enpire_nodes.cli.live import percent
    from enpire_nodes.rollout.statistics import lower_bound, upper_bound

    counted = result.completed - result.excluded
    table = Table(title=f'request {result.request_id}', title_justify='left')
    for name in ('', 'successes', 'trials', 'rate', 'lower', 'upper'):
        table.add_column(name, justify='left' if not name else 'right')
    attempts = f'pass@{goal.max_attempts or 8}'
    for name, count in ((attempts, result.successes), ('pass@1', result.first_attempt_successes)):
        rate = count / counted if counted else float('nan')
        table.add_row(
            name,
            str(count),
            str(counted),
            percent(rate),
            percent(lower_bound(count, counted)),
            percent(upper_bound(count, counted)),
        )
    table.caption = (
        'bounds: one-sided 95 % Clopper-Pearson; '
        f'{result.excluded} trials excluded for an infrastructure cause'
    )
    return table
