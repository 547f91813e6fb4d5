"""``enpire demo``: the builtin researcher improves the policy of a simulated station by itself."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field
import os
from pathlib import Path
import sys
import time
from typing import Any

from enpire_nodes.bringup.configuration import ConfigurationError, load_configuration
from enpire_nodes.cli.research import add_goal_arguments, goal_of, outcome_name
from enpire_nodes.cli.runs import console as make_console
from enpire_nodes.cli.session import at_work, own_domain, Tale
from enpire_nodes.cli.soak import DRIFT, promise_table

HELP = 'watch a researcher improve the policy of a simulated station, with nobody at the bench'
_IDEAS = 12


def add_parser(subparsers: Any) -> None:
    """Add the command to the ``enpire`` parser."""
    parser = subparsers.add_parser('demo', help=HELP, description=__doc__)
    add_goal_arguments(parser)
    # what a processor with two cores does in ten minutes, and what that can certify
    parser.set_defaults(target=0.8, confirmation=20, hours=9.5 / 60.0)
    parser.add_argument(
        '--retest', type=int, default=20, metavar='N',
        help='pairs by which a proposed recipe is compared with main (default: 20)',
    )  # fmt: skip
    parser.add_argument(
        '--attempts', type=int, default=1, help='of a trial of the confirmation block (default: 1)'
    )
    parser.add_argument('--agent', default='builtin', help='who researches (default: builtin)')
    parser.add_argument('--model', default='', help='of the agent')
    parser.add_argument(
        '--pace', default='lockstep', choices=('lockstep', 'realtime'),
        help='lockstep runs as fast as the CPU allows (default)',
    )  # fmt: skip
    parser.add_argument('--seed', type=int, default=1, help='of everything drawn at random')
    parser.add_argument('--run', metavar='DIR', dest='directory', help='default: runs/demo-<time>')
    parser.add_argument(
        '--domain', type=int, help='ROS domain (default: ROS_DOMAIN_ID, or a free one)'
    )
    parser.set_defaults(run=run)


@dataclass(slots=True)
class Night:
    """How a campaign ended, and what happened that journal and ledger do not know."""

    outcome: str = ''
    message: str = ''
    tale: Tale = field(default_factory=Tale)


def run(args: argparse.Namespace) -> int:
    """Run the demo; 0 when it kept what it promises."""
    console = make_console()
    directory = Path(args.directory or f'runs/demo-{time.strftime("%Y%m%d-%H%M%S")}').absolute()
    supervisor = {
        'require_frozen': False,  # acceptance takes longer than the whole demo
        'retest_trials': args.retest,
        'confirmation_attempts': args.attempts,
        'researcher_seed': args.seed,
    }
    try:
        configuration = load_configuration(
            'station_1',
            pace=args.pace,
            seed=args.seed,
            run=directory,
            parameters={'driver': DRIFT, 'agent_supervisor': supervisor},
        )
    except ConfigurationError as error:
        sys.stderr.write(f'enpire demo: {error}\n')
        return 2
    from enpire_nodes.evolution.researcher.start import seed_hub

    seed_hub(directory, configuration.task)
    with own_domain(args.domain):
        night = research(console, configuration, args)
    for problem in night.tale.problems:
        console.print(f'problem: {problem}', markup=False, highlight=False, soft_wrap=True)
    if not (directory / 'research' / 'journal.jsonl').is_file():
        sys.stderr.write('enpire demo: no campaign was begun; see the problems above\n')
        return 1
    promises = check(directory, night, certify=args.confirmation >= 50)
    console.print(promise_table(promises))
    console.print(farewell(directory, night), markup=False, highlight=False, soft_wrap=True)
    return 0 if all(kept for _, _, kept in promises) else 1


def research(console: Any, configuration: Any, args: argparse.Namespace) -> Night:
    """Bring the station up, let the agent work, and take it down."""
    from enpire_nodes.cli.client import SUPERVISOR
    from enpire_nodes.cli.live_research import make_research_view

    night = Night()

    def act(link: Any, tale: Tale) -> None:
        console.print(f'the {args.agent} agent has the floor')
        goal = goal_of(args, agent=args.agent, campaign=f'demo-{args.seed}')
        with make_research_view(console, f'{link.namespace} · {args.agent}') as view:
            result = link.run(goal, show=view.show)
        night.outcome, night.message = outcome_name(result), result.message

    night.tale = at_work(console, configuration, act, server=SUPERVISOR)
    return night


def check(directory: Path, night: Night, *, certify: bool) -> list[tuple[str, str, bool]]:
    """Hold the run against what the demo promises: what, how it came out, whether it was kept."""
    from enpire_nodes.evolution.campaign.book import CampaignBook
    from enpire_nodes.evolution.campaign.evidence import Evidence
    from enpire_nodes.evolution.campaign.proposals import Proposals
    from enpire_nodes.evolution.journal import Journal
    from enpire_nodes.evolution.records import JobKind, JobState
    from enpire_nodes.evolution.report.verify import verify_run
    from enpire_nodes.evolution.tree.build import build_tree
    from enpire_nodes.evolution.tree.model import IdeaState
    from enpire_nodes.rollout.ledger import LedgerReader
    from enpire_nodes.rollout.utilization import utilization

    book = CampaignBook(Journal(directory))
    book.read()
    with LedgerReader(directory) as ledger:
        evidence = Evidence(ledger, book.began_ns)
        evidence.read()
        retests = [
            Proposals(book, evidence).comparison(job)
            for job in book.of_kind(JobKind.RETEST)
            if job.paired and book.state(job.job_id) is JobState.DONE
        ]
        worked = [span for span in ledger.intervals() if span.start_ns >= book.began_ns]
        share = utilization(worked).robot_utilization
    apart = [seen for seen in retests if seen.apart]
    best = max(apart or retests, key=lambda seen: (seen.candidate, -seen.p_value), default=None)
    ideas = [idea for idea in build_tree(directory).ideas.values() if idea.station]
    dead = sum(idea.state is IdeaState.DEAD for idea in ideas)
    problems, minutes = verify_run(directory), evidence.robot_seconds / 60.0
    moved = book.promotions[-1] if book.promotions else None
    promises = [
        ('ideas', f'{len(ideas)}, of which {dead} are dead',
         len(ideas) >= _IDEAS and 2 * dead > len(ideas)),
        ('a clearly better policy, re-tested', best.words() if best else 'none', bool(apart)),
        ('main moved by a confirmation block',
         f'{moved.successes} of {moved.trials}, at least {moved.lower:.1%}' if moved else 'no',
         moved is not None),
        ('crashes, faults', '; '.join(night.tale.problems) or 'none', not night.tale.problems),
        ('the report can be recomputed', problems_words(problems), not problems),
        ('robot at work', f'{share:.1%} of the wall clock', True),
        ('robot time', f'{minutes:.1f} min, {evidence.started} trials', True),
    ]  # fmt: skip
    if certify:
        promises.append(('certified', night.message, night.outcome == 'CERTIFIED'))
    return promises


def problems_words(problems: Sequence[Any]) -> str:
    """Say what a verification found."""
    if not problems:
        return 'every figure, from ledger, journal and hub'
    return '; '.join(str(problem) for problem in problems[:3])


def farewell(directory: Path, night: Night) -> str:
    """Say where everything is, and what to look at next."""
    shown = os.path.relpath(directory)
    megabytes = sum(night.tale.memory.values()) / 1e6
    return '\n'.join(
        [
            f'{night.outcome.lower().replace("_", " ")}: {night.message}',
            f'{night.tale.seconds:.0f} s altogether; the station took {megabytes:.0f} MB.',
            f'  {shown}/report.html          the report; open it in a browser',
            f'  enpire verify-run {shown}    recompute its figures',
            f'  git -C {shown}/research/hub.git log --all --graph --oneline    the ideas',
            f'  enpire trials list --run {shown}   every trial, and why it ended',
        ]
    )
