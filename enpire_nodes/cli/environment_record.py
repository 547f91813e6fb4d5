"""``enpire environment record``: a few minutes of trials that somebody can label afterwards.

Brings a station up, has each controller do its share, and takes the station down. Successes come
from a controller that works (or from a person, with ``teleop`` and ``enpire teleop`` in another
terminal), failures from one that does not. In simulation ``--truth`` lets the simulator label
them.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
import sys
from typing import Any

from enpire_nodes.bringup.configuration import ConfigurationError, load_configuration
from enpire_nodes.cli.environment_work import add_station, count
from enpire_nodes.cli.run import parse_settings
from enpire_nodes.common.errors import StationError
from enpire_nodes.rollout.records import TrialRecord

HELP = 'record trials to label: successes, failures, demonstrations'
REQUESTER = 'phase one'
PLAN = ('spiral_search:8', 'scripted:8', 'hold:4')


@dataclass(frozen=True, slots=True)
class Share:
    """How many trials one controller does."""

    controller: str
    trials: int

    @classmethod
    def parse(cls, text: str) -> Share:
        """Read ``controller:trials``.

        :raises argparse.ArgumentTypeError: it has another form.
        """
        name, _, number = text.partition(':')
        if not (name and number.isdigit() and int(number) > 0):
            raise argparse.ArgumentTypeError(
                f'{text!r} must be CONTROLLER:TRIALS, such as spiral_search:8'
            )
        return cls(name, int(number))


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser('record', help=HELP, description=__doc__)
    parser.add_argument(
        'plan', nargs='*', type=Share.parse, metavar='CONTROLLER:TRIALS',
        help=f'default: {" ".join(PLAN)}',
    )  # fmt: skip
    parser.add_argument(
        '--set', action='append', default=[], metavar='CONTROLLER.SETTING=VALUE', dest='settings',
        help='a setting of a controller, such as replay.bag=...; may be repeated',
    )  # fmt: skip
    add_station(parser)
    parser.add_argument(
        '--run', dest='directory', metavar='DIR', help='default: environment/<task>/run'
    )
    parser.add_argument(
        '--pace', choices=('lockstep', 'realtime'), default='lockstep',
        help='realtime for a person who steers (default: lockstep)',
    )  # fmt: skip
    parser.add_argument('--attempts', type=count, default=1, help='most attempts of a trial')
    parser.add_argument('--seed', type=count, default=0, help='of everything drawn at random')
    parser.add_argument('--domain', type=int, help='ROS domain; default: a free one')
    parser.add_argument(
        '--truth', action='store_true', help='simulation only: let the simulator label the trials'
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Record, and say what there is to label; 0 when every trial has an end."""
    from enpire_msgs.action import RunTrials
    from enpire_nodes.cli.runs import console as make_console
    from enpire_nodes.cli.session import own_domain, work
    from enpire_nodes.rollout.ledger import LedgerReader
    from enpire_nodes.rollout.messages import parameter_messages
    from enpire_nodes.rollout.trial.requests import new_request_id

    plan = args.plan or [Share.parse(text) for text in PLAN]
    try:
        settings = settings_by_controller(args.settings, plan)
        task = load_configuration(args.station).task
        directory = Path(args.directory or f'environment/{task}/run').absolute()
        configuration = load_configuration(
            args.station,
            pace=args.pace,
            seed=args.seed,
            run=directory,
            parameters={'driver': {'publish_ground_truth': True}} if args.truth else {},
        )
    except (ConfigurationError, ValueError) as error:
        sys.stderr.write(f'enpire environment record: {error}\n')
        return 2
    console = make_console()
    with own_domain(args.domain) as domain:
        if any(share.controller == 'teleop' for share in plan):
            console.print(f'steer with: ROS_DOMAIN_ID={domain} enpire teleop', markup=False)
        goals = [
            RunTrials.Goal(
                request_id=new_request_id(),
                requester=REQUESTER,
                trials=share.trials,
                max_attempts=args.attempts,
                controller=share.controller,
                controller_parameters=parameter_messages(settings.get(share.controller, {})),
            )
            for share in plan
        ]
        problems = work(console, configuration, goals).problems
    try:
        with LedgerReader(directory) as ledger:
            console.print(summary(ledger.trials()))
    except StationError as error:
        problems.append(error.message)
    if problems:
        sys.stderr.write(f'enpire environment record: {"; ".join(problems)}\n')
        return 1
    console.print(f'next: enpire environment guide {task}', markup=False)
    return 0


def settings_by_controller(
    texts: Sequence[str], plan: Sequence[Share]
) -> dict[str, dict[str, Any]]:
    """Read ``CONTROLLER.SETTING=VALUE``.

    :raises ValueError: it has another form, or names a controller that the plan has not.
    """
    found: dict[str, dict[str, Any]] = {share.controller: {} for share in plan}
    for name, value in parse_settings(texts).items():
        controller, _, setting = name.partition('.')
        if controller not in found or not setting:
            raise ValueError(
                f'--set {name}: name a controller of the plan and its setting; '
                f'the plan has {", ".join(found)}'
            )
        found[controller][name] = value
    return found


def summary(trials: Sequence[TrialRecord]) -> str:
    """Say in one line for each controller how its trials were judged."""
    found: dict[str, Counter[str]] = {}
    for trial in trials:
        if trial.requester == REQUESTER:
            word = trial.outcome.name.lower() if trial.closed else 'open'
            found.setdefault(trial.controller, Counter())[word] += 1
    lines = [
        f'{name}: {sum(words.values())} trials, judged '
        + ', '.join(f'{count} {word}' for word, count in words.most_common())
        for name, words in found.items()
    ]
    return '\n'.join(lines) or 'nothing was recorded'
