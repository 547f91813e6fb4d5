"""``enpire audit``: what waits for a person, the pictures of it, and what the person says."""

from __future__ import annotations

import argparse
from dataclasses import replace
import getpass
import json
import math
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from enpire_nodes.cli import audit_look
from enpire_nodes.cli.runs import add_run_argument, console, find_run, reported
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.environment.context import shipped_settings
from enpire_nodes.environment.evidence import Evidence
from enpire_nodes.rollout.auditing.alarm import AUDITORS
from enpire_nodes.rollout.auditing.audits import AuditedTrial, Audits
from enpire_nodes.rollout.auditing.desk import AuditDesk
from enpire_nodes.rollout.auditing.sample import Sampler
from enpire_nodes.rollout.auditing.tally import Tally
from enpire_nodes.rollout.human_time import in_words
from enpire_nodes.rollout.ledger import LedgerReader
from enpire_nodes.rollout.records import AttemptRecord, TrialRecord, VerdictOutcome
from enpire_nodes.rollout.run_directory import RunDirectory
from enpire_nodes.tasks.api import Task
from enpire_nodes.tasks.registry import load_task

_LABELS = ('success', 'failure', 'uncertain')


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add ``audit`` and what it can do."""
    parser = subparsers.add_parser(
        'audit',
        help='look at what the judge decided, label it, and trust or doubt the judge',
        description='The verdict is not shown before the label is given, so that it cannot sway '
        'it. Labels are appended to audits.jsonl in the run; nothing is ever overwritten.',
    )
    commands = parser.add_subparsers(dest='what', required=True, metavar='COMMAND')

    lister = commands.add_parser('list', help='what waits, and how far the judge can be trusted')
    lister.add_argument('--json', action='store_true', help='for programs')
    lister.set_defaults(run=reported(_list))

    shower = commands.add_parser('show', help='write the pictures of an attempt to a PNG file')
    shower.add_argument('--output', type=Path, metavar='FILE', help='default: beside its bag')
    shower.set_defaults(run=reported(_show))

    labeller = commands.add_parser('label', help='say what an attempt really was')
    labeller.set_defaults(run=reported(_label))

    clearer = commands.add_parser('clear', help='trust the judge again, after having looked')
    clearer.add_argument('--reason', required=True, help='what was found and done')
    clearer.set_defaults(run=reported(_clear))

    keeper = commands.add_parser('keep', help='keep the evidence of an attempt as a canary')
    keeper.add_argument('--catalogue', type=Path, required=True, metavar='FILE', help='JSON file')
    keeper.add_argument(
        '--station-file',
        default='stations/simulated.yaml',
        metavar='FILE',
        help='with the cameras',
    )
    keeper.add_argument('--weights', type=Path, metavar='FILE', help="of the judge's learned eyes")
    keeper.set_defaults(run=reported(_keep))

    for command in (shower, keeper):
        command.add_argument(
            '--task-file', type=Path, metavar='FILE', help="the task's settings, if not as shipped"
        )
    for command in (shower, labeller, keeper):
        command.add_argument('trial', metavar='TRIAL', help='identifier, or its beginning or end')
        command.add_argument(
            '--attempt', type=int, default=0, metavar='N', help='default: the last one judged'
        )
    labeller.add_argument('label', choices=_LABELS, help='uncertain: the pictures do not tell')
    keeper.add_argument('label', choices=_LABELS[:2], help='what it is, beyond doubt')
    for command in (labeller, clearer):
        command.add_argument('--by', default=_user(), metavar='NAME', help='default: %(default)s')
    labeller.add_argument('--seconds', type=float, metavar='S', help='default: since `show`')
    clearer.add_argument(
        '--seconds', type=float, required=True, metavar='S', help='that looking took you'
    )
    for command in (lister, shower, labeller, clearer, keeper):
        add_run_argument(command)


def _list(arguments: argparse.Namespace) -> int:
    audits = _desk(arguments).audits
    if arguments.json:
        print(json.dumps(_data(audits), indent=2, ensure_ascii=False))
        return 1 if audits.alarm else 0
    out = console()
    out.print(_queue(audits.waiting()))
    if audits.whole.tallies:
        out.print(_rates(audits))
    spent = in_words(audits.human_seconds)
    out.print(
        f'{len(audits.trials)} trials heard, {len(audits.sampled)} drawn, {audits.canaries} '
        f'canaries ({audits.canaries_failed} failed); {spent or "no human minutes yet"}'
    )
    if audits.alarm:
        out.print(f'[bold red]ALARM[/]: {escape(audits.alarm)}')
    return 1 if audits.alarm else 0


def _show(arguments: argparse.Namespace) -> int:
    from enpire_nodes.cli.audit_sheet import contact_sheet

    run, trial, attempt = _found(arguments)
    evidence = _evidence(arguments, run, trial, attempt)
    sheet = _sheet(run, trial.trial_id, attempt.index)
    path = arguments.output or sheet
    title = f'{trial.trial_id}, attempt {attempt.index}'
    try:
        contact_sheet(evidence, path, title=title)
    except OSError as error:
        raise _wrong(f'cannot write {path}: {error.strerror}; name another by --output') from error
    print(path)
    audit_look.begin(sheet.with_suffix('.json'))
    return 0


def _label(arguments: argparse.Namespace) -> int:
    desk = _desk(arguments)
    run, trial, attempt = _found(arguments)
    note = _sheet(run, trial.trial_id, attempt.index).with_suffix('.json')
    seconds = arguments.seconds
    if seconds is None:
        seconds = audit_look.seconds_since(note)
    label = VerdictOutcome[arguments.label.upper()]
    desk.label(trial.trial_id, attempt.index, label, labeller=arguments.by, seconds=seconds)
    audit_look.end(note)
    verdict = attempt.verdict.outcome
    words = 'as the judge said' if verdict is label else f'the judge said {verdict.name}'
    print(
        f'{trial.trial_id}, attempt {attempt.index}: {label.name} by {arguments.by} '
        f'({seconds:.0f} s); {words}'
    )
    return 0


def _clear(arguments: argparse.Namespace) -> int:
    alarm = _desk(arguments).clear(
        who=arguments.by, seconds=arguments.seconds, reason=arguments.reason
    )
    print(f'cleared by {arguments.by}: {alarm}')
    return 0


def _keep(arguments: argparse.Namespace) -> int:
    from enpire_nodes.cli.audit_keep import keep, make_verifier

    run, trial, attempt = _found(arguments)
    evidence = replace(
        _evidence(arguments, run, trial, attempt),
        source=f'{trial.trial_id} attempt {attempt.index}',
        label=arguments.label == 'success',
    )
    verifier = make_verifier(_task(arguments, trial), arguments.station_file, arguments.weights)
    name = f'{trial.trial_id}_{attempt.index}'
    count = keep(evidence, verifier, arguments.catalogue, name=name)
    print(f'{arguments.catalogue}: {count} canaries; name it by canary_file of trial_runner')
    return 0


def _found(arguments: argparse.Namespace) -> tuple[RunDirectory, TrialRecord, AttemptRecord]:
    run = RunDirectory(find_run(arguments))
    with LedgerReader(run.path) as ledger:
        trial = _trial(ledger, arguments.trial)
    return run, trial, _attempt(trial, arguments.attempt)


def _task(arguments: argparse.Namespace, trial: TrialRecord) -> Task:
    return load_task(trial.task, arguments.task_file or shipped_settings(trial.task))


def _evidence(
    arguments: argparse.Namespace, run: RunDirectory, trial: TrialRecord, attempt: AttemptRecord
) -> Evidence:
    from enpire_nodes.rollout.recording.evidence import evidence_of

    task = _task(arguments, trial)
    return evidence_of(run.bag(trial.trial_id), task=task, attempt=attempt)


def _desk(arguments: argparse.Namespace) -> AuditDesk:
    return AuditDesk(find_run(arguments), Sampler(b'', 0.0))  # the auditor's node draws


def _trial(ledger: LedgerReader, wanted: str) -> TrialRecord:
    names = [item.trial_id for item in ledger.trials()]
    found = [
        name for name in names if wanted and (name.startswith(wanted) or name.endswith(wanted))
    ]
    if wanted in names or len(found) == 1:
        return ledger.trial(wanted if wanted in names else found[0])
    reason = f'{len(found)} trials fit it' if found else f'the run has {len(names)} others'
    raise _wrong(f'no trial is called {wanted}: {reason}; see `enpire audit list`')


def _attempt(trial: TrialRecord, number: int) -> AttemptRecord:
    judged = {attempt.index: attempt for attempt in trial.judged}
    if not judged:
        raise _wrong(f'trial {trial.trial_id} was never judged ({trial.outcome.name})')
    if number and number not in judged:
        raise _wrong(f'attempt {number} was not judged; judged: {", ".join(map(str, judged))}')
    return judged[number or max(judged)]


def _sheet(run: RunDirectory, trial_id: str, attempt: int) -> Path:
    return run.trial(trial_id) / f'audit_{attempt}.png'


def _queue(waiting: list[AuditedTrial]) -> Table:
    table = Table('trial', 'judged', 'labelled', 'why', title='waiting for a person')
    for trial in waiting:
        table.add_row(
            escape(trial.trial_id), str(len(trial.verdicts)), str(len(trial.labels)), _why(trial)
        )
    return table


def _why(trial: AuditedTrial) -> str:
    """Return why a trial waits; what is odd about it would tell the person what to say."""
    return 'drawn' if trial.sampled else 'odd'


def _rates(audits: Audits) -> Table:
    table = Table(
        'auditor', 'attempts', 'precision', 'recall', 'false positives', 'unsure',
        title='the judge, against those who know better (bounds: one-sided 95 %)',
    )  # fmt: skip
    for auditor in AUDITORS:
        tally = audits.whole.tallies.get(auditor)
        if tally is not None:
            table.add_row(auditor, *_row(tally))
    return table


def _row(tally: Tally) -> tuple[str, ...]:
    judged = tally.true_successes + tally.false_failures + tally.failures
    return (
        str(judged + tally.uncertain),
        _share(tally.precision, '≥', tally.precision_lower),
        _share(tally.recall, '≥', tally.recall_lower),
        _share(tally.false_positive_rate, '≤', tally.false_positive_upper),
        str(tally.uncertain),
    )


def _share(rate: float, sign: str, bound: float) -> str:
    return '–' if math.isnan(rate) else f'{rate:.1%} ({sign} {bound:.1%})'


def _data(audits: Audits) -> dict:
    return {
        'alarm': audits.alarm,
        'environment_digest': audits.environment_digest,
        'trials': len(audits.trials),
        'sampled': len(audits.sampled),
        'canaries': audits.canaries,
        'canaries_failed': audits.canaries_failed,
        'waiting': [
            {'trial_id': trial.trial_id, 'attempts': list(trial.verdicts), 'why': _why(trial)}
            for trial in audits.waiting()
        ],
        'human_seconds': dict(audits.human_seconds),
        'tallies': {
            auditor: {
                'true_successes': tally.true_successes,
                'false_successes': tally.false_successes,
                'true_failures': tally.true_failures,
                'false_failures': tally.false_failures,
                'uncertain': tally.uncertain,
                'undecided': tally.undecided,
                'precision_lower': tally.precision_lower,
                'recall_lower': tally.recall_lower,
                'false_positive_upper': tally.false_positive_upper,
            }
            for auditor, tally in audits.whole.tallies.items()
        },
    }


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ''


def _wrong(why: str) -> StationError:
    return StationError(ErrorCode.RUNNER_BAD_REQUEST, why)
