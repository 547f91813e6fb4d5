"""``enpire recover``: put a run in order after a crash."""

from __future__ import annotations

import argparse

from rich.markup import escape

from enpire_nodes.cli.runs import add_run_argument, console, find_run, reported
from enpire_nodes.rollout.ledger import Ledger
from enpire_nodes.rollout.recover import recover_run, RecoveredBag


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add ``recover``."""
    parser = subparsers.add_parser(
        'recover',
        help='recover unfinished bags and close interrupted trials after a crash',
        description='Rewrites bags that were not closed (the file as found is kept beside them, '
        'named *.unfinished), closes trials without an end as INTERRUPTED, and writes missing '
        'trial.json files. Refuses while a runner works on the run. Doing it twice is harmless.',
    )
    add_run_argument(parser)
    parser.set_defaults(run=reported(_recover))


def _recover(arguments: argparse.Namespace) -> int:
    run = find_run(arguments)
    out = console()
    with Ledger(run, station='', owner='enpire recover') as ledger:
        result = recover_run(ledger)
        report = ledger.verify()
    out.print(f'run {escape(str(run))}')
    for bag in result.bags:
        out.print(_bag_line(bag))
    for trial in result.closed:
        out.print(f'[magenta]trial {escape(trial.trial_id)}[/]: closed as INTERRUPTED')
    if result.written:
        out.print(f'trial.json written for {escape(", ".join(result.written))}')
    if not (result.bags or result.closed or result.written):
        out.print('nothing to do: every bag is whole and every trial is closed')
    if not report.whole:
        out.print(f'[bold red]ledger: entry {report.bad_sequence} is bad: {report.problem}[/]')
    return 1 if result.failed or not report.whole else 0


def _bag_line(bag: RecoveredBag) -> str:
    name = escape(bag.trial_id)
    if bag.recovery is None:
        return f'[red]bag of {name}[/]: {escape(bag.error.message)}'
    saved = bag.recovery.report.messages
    lost = f'{bag.recovery.lost_bytes} bytes at its end were no whole chunk'
    if bag.recovery.damaged_chunks:
        lost += f', {bag.recovery.damaged_chunks} damaged chunks left out'
    return f'[green]bag of {name}[/]: {saved} messages saved; {lost}'
