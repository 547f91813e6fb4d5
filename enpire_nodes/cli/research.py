"""``enpire research``: let an agent improve a station's policy, and watch it."""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

HELP = 'let an agent improve the policy of a station that is up'
_CODES = {'CERTIFIED': 0, 'BUDGET_USED': 3, 'STOPPED': 1, 'CANCELED': 130}


def add_parser(subparsers: Any) -> None:
    """Add the command to the ``enpire`` parser."""
    parser = subparsers.add_parser('research', help=HELP, description=__doc__)
    parser.add_argument(
        '--agent', default='builtin', help='builtin, claude, codex, kimi or acp:<command>'
    )
    parser.add_argument('--model', default='', help='of the agent')
    parser.add_argument('--task', default='', help="default: the station's")
    parser.add_argument('--campaign', default='', help='name; the same one goes on where it was')
    add_goal_arguments(parser)
    parser.add_argument('--station', default='/station_1', help='namespace (default: /station_1)')
    parser.add_argument(
        '--wait', type=float, default=60.0, metavar='S', help='for the station to take the goal'
    )
    parser.set_defaults(run=run)


def add_goal_arguments(parser: argparse.ArgumentParser) -> None:
    """Add target and budgets."""
    parser.add_argument(
        '--target', type=float, default=0.9,
        help='success rate to be certified by a confirmation block (default: 0.9)',
    )  # fmt: skip
    parser.add_argument(
        '--confirmation', type=int, default=50, metavar='N',
        help='trials of that block (default: 50)',
    )  # fmt: skip
    group = parser.add_argument_group('budgets', 'the first one that is used up ends it; 0: none')
    group.add_argument('--hours', type=float, default=0.0, help='of wall-clock')
    group.add_argument('--robot-minutes', type=float, default=0.0, help='in which the robot works')
    group.add_argument('--trials', type=int, default=0, help='whoever asks for them')
    group.add_argument('--tokens', type=int, default=0, help='of all classes')
    group.add_argument('--money', type=float, default=0.0, help="in the price list's currency")


def goal_of(args: argparse.Namespace, *, agent: str, campaign: str) -> Any:
    """Return the goal that the arguments ask for."""
    from enpire_msgs.action import RunResearch
    from enpire_nodes.evolution.supervisor_messages import duration

    return RunResearch.Goal(
        task=getattr(args, 'task', ''),
        agent=agent,
        model=getattr(args, 'model', ''),
        campaign=campaign,
        target_success_rate=args.target,
        confirmation_trials=max(0, args.confirmation),
        budget_tokens=max(0, args.tokens),
        budget_money=args.money,
        budget_wall_clock=duration(args.hours * 3600.0),
        budget_robot_time=duration(args.robot_minutes * 60.0),
        budget_trials=max(0, args.trials),
    )


def run(args: argparse.Namespace) -> int:
    """Send the goal, show the campaign until it is over, and return the exit code."""
    from enpire_nodes.cli.client import StationLink, SUPERVISOR
    from enpire_nodes.cli.live_research import make_research_view
    from enpire_nodes.cli.runs import console as make_console

    campaign = args.campaign or f'research-{time.strftime("%Y%m%d-%H%M%S")}'
    console = make_console()
    with StationLink(args.station, server=SUPERVISOR) as link:
        with make_research_view(console, f'{args.station} · {campaign}') as view:
            goal = goal_of(args, agent=args.agent, campaign=campaign)
            result = link.run(goal, show=view.show, patience=args.wait)
    outcome = outcome_name(result)
    console.print(result_words(result), markup=False, highlight=False, soft_wrap=True)
    if outcome in ('STOPPED', 'CANCELED'):
        sys.stderr.write(f'enpire research: {outcome.lower()}: {result.message}\n')
    return _CODES.get(outcome, 1)


def outcome_name(result: Any) -> str:
    """Return the name of a result's outcome."""
    names = ('CERTIFIED', 'BUDGET_USED', 'STOPPED', 'CANCELED')
    return next((name for name in names if result.outcome == getattr(result, name)), 'UNSET')


def result_words(result: Any) -> str:
    """Say how a campaign ended."""
    lines = [f'{outcome_name(result).lower().replace("_", " ")}: {result.message}']
    if result.best_commit:
        lines.append(f'main is {result.best_commit[:10]}')
    if result.report:
        lines.append(f'report: {result.report}')
    return '\n'.join(lines)
