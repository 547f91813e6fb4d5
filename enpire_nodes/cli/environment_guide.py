"""``enpire environment guide``: where phase one stands, and which command comes next.

Phase one is what a person does once for a task: record, label, fit, measure, freeze. Every step
leaves a file; this looks which are there, and says what the next one is.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich import box
from rich.markup import escape
from rich.table import Table

from enpire_nodes.cli.environment_record import REQUESTER
from enpire_nodes.cli.environment_work import add_task
from enpire_nodes.common.errors import StationError
from enpire_nodes.environment.acceptance.report import read
from enpire_nodes.environment.contract.freeze import MANIFEST
from enpire_nodes.rollout.human_time import cost_of
from enpire_nodes.rollout.labelled import labels_of
from enpire_nodes.rollout.ledger import LedgerReader

HELP = 'where phase one of a task stands, and what comes next'


@dataclass(frozen=True, slots=True)
class Step:
    """One step of phase one.

    :param state: what there is, in words.
    :param command: that does it.
    """

    name: str
    done: bool
    state: str
    command: str


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser('guide', help=HELP, description=__doc__)
    add_task(parser)
    parser.add_argument(
        '--directory', type=Path, metavar='DIR', help='of phase one (default: environment/TASK)'
    )
    parser.add_argument(
        '--frozen', type=Path, metavar='DIR', help='of the manifest (default: frozen/TASK)'
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Show the steps; 0 when all are done."""
    from enpire_nodes.cli.runs import console as make_console

    directory = args.directory or Path('environment') / args.task
    frozen = args.frozen or Path('frozen') / args.task
    found = list(steps(args.task, directory, frozen))
    console = make_console()
    console.print(_table(found))
    cost = cost_of(directory / 'run')
    if cost:
        console.print(cost)
    following = next((step for step in found if not step.done), None)
    if following is None:
        manifest = frozen / MANIFEST
        console.print(
            f'The environment is frozen: enpire up --manifest {manifest} '
            f'--weights {directory / "weights.npz"}',
            soft_wrap=True,
            markup=False,
        )
        return 0
    console.print(f'next: {following.command}', soft_wrap=True, markup=False)
    return 1


def steps(task: str, directory: Path, frozen: Path) -> Iterator[Step]:
    """Yield the steps in their order.

    :param directory: of phase one.
    :param frozen: of the manifest.
    """
    usual, recorded = directory == Path('environment') / task, directory / 'run'
    judged, unlabelled, disputed = _trials(recorded)
    yield Step(
        'record',
        judged > 0,
        f'{judged} judged attempts' if judged else 'nothing yet',
        'enpire environment record' + _unless(usual, f' --run {recorded}'),
    )
    quarrel = f', of which people differ: {"; ".join(disputed)}' if disputed else ''
    yield Step(
        'label',
        judged > 0 and unlabelled == 0 and not disputed,
        f'{judged - unlabelled} of {judged} labelled{quarrel}',
        f'enpire audit label --run {recorded}',
    )
    weights = directory / 'weights.npz'
    yield Step(
        'fit',
        weights.is_file(),
        str(weights) if weights.is_file() else 'no weights',
        f'enpire environment fit {task}' + _unless(usual, f' --run {recorded} --output {weights}'),
    )
    report = directory / 'acceptance.json'
    accepted, words = _accepted(report)
    yield Step(
        'measure',
        accepted,
        words,
        f'enpire environment measure {task} --weights {weights}'
        + _unless(usual, f' --output {directory}'),
    )
    manifest = frozen / MANIFEST
    yield Step(
        'freeze',
        manifest.is_file(),
        str(manifest) if manifest.is_file() else 'not frozen',
        f'enpire freeze {task} --weights {weights}'
        + _unless(usual, f' --report {report}')
        + _unless(frozen == Path('frozen') / task, f' --output {frozen}'),
    )


def _unless(usual: bool, option: str) -> str:
    return '' if usual else option


def _trials(run: Path) -> tuple[int, int, tuple[str, ...]]:
    """Return how many attempts were judged, how many nobody has labelled, and the disputed."""
    try:
        with LedgerReader(run) as ledger:
            trials = [trial for trial in ledger.trials() if trial.requester == REQUESTER]
    except StationError:
        return 0, 0, ()
    judged = {(trial.trial_id, attempt.index) for trial in trials for attempt in trial.judged}
    labels = labels_of(run)
    return len(judged), len(judged - set(labels.known)), labels.disputed


def _accepted(report: Path) -> tuple[bool, str]:
    if not report.is_file():
        return False, 'not measured'
    try:
        content = read(report)
    except StationError as error:
        return False, error.message
    failed = [item['name'] for item in content['criteria'] if not item['passed']]
    return content['passed'], f'not passed: {", ".join(failed)}' if failed else 'passed'


def _table(found: list[Step]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ('', 'step', 'there is'):
        table.add_column(name, overflow='fold')
    for step in found:
        mark = '[green]✔[/]' if step.done else '[yellow]·[/]'
        table.add_row(mark, step.name, escape(step.state))
    return table
