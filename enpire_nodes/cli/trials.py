"""``enpire trials``: what the ledger of a run says of its trials, and whether it can be so."""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path
import sys
from typing import TextIO

from enpire_nodes.cli.runs import add_run_argument, console, find_run, reported
from enpire_nodes.cli.trial_tables import (
    block_table,
    chain_line,
    correction_line,
    environment_line,
    list_table,
    retry_line,
    show_tables,
    summary_lines,
)
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.audit import audit_run
from enpire_nodes.rollout.auditing.audits import Audits
from enpire_nodes.rollout.confirmation import blocks
from enpire_nodes.rollout.human_time import human_seconds, in_words
from enpire_nodes.rollout.ledger import LedgerReader
from enpire_nodes.rollout.record_json import to_json, trial_data
from enpire_nodes.rollout.records import TrialRecord
from enpire_nodes.rollout.statistics import summarize
from enpire_nodes.rollout.utilization import utilization

_CSV_COLUMNS = (
    'trial_id', 'request_id', 'requester', 'station', 'task', 'idea', 'commit', 'controller',
    'controller_digest', 'environment_digest', 'seed', 'outcome', 'success',
    'first_attempt_success', 'infrastructure', 'error_code', 'message', 'attempts',
    'max_attempts', 'reset_seconds', 'execute_seconds', 'verify_seconds', 'robot_seconds',
    'wall_seconds', 'reset_retries', 'start_ns', 'end_ns', 'bag', 'bag_digest', 'ledger_digest',
)  # fmt: skip


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add ``trials`` and what it can do."""
    parser = subparsers.add_parser(
        'trials', help='list, show, check and export the trials of a run'
    )
    commands = parser.add_subparsers(dest='what', required=True, metavar='COMMAND')

    lister = commands.add_parser('list', help='one line a trial, and the success rate')
    lister.add_argument('--limit', type=_positive, metavar='N', help='only the newest N')
    lister.add_argument('--json', action='store_true', help='for programs')
    lister.set_defaults(run=reported(_list))

    shower = commands.add_parser('show', help='everything about one trial')
    shower.add_argument('trial', metavar='TRIAL', help='identifier, or its beginning or end')
    shower.add_argument('--json', action='store_true', help='for programs')
    shower.set_defaults(run=reported(_show))

    exporter = commands.add_parser('export', help='write the trials to a file')
    exporter.add_argument(
        '--format',
        choices=tuple(_EXPORTS),
        default='json',
        help='json: trials; jsonl: the ledger itself with its digests; csv: a table',
    )
    exporter.add_argument('--output', type=Path, metavar='FILE', help='default: standard output')
    exporter.set_defaults(run=reported(_export))

    checker = commands.add_parser(
        'check', help='hold ledger, bags and files of a run against each other'
    )
    checker.set_defaults(run=reported(_check))

    confirmer = commands.add_parser(
        'blocks', help='confirmation blocks: declared before their first trial'
    )
    confirmer.set_defaults(run=reported(_blocks))

    for command in (lister, shower, exporter, checker, confirmer):
        add_run_argument(command)


def _list(arguments: argparse.Namespace) -> int:
    with LedgerReader(find_run(arguments)) as ledger:
        trials = ledger.trials()
        shown = trials[-arguments.limit :] if arguments.limit else trials
        summary, used = summarize(trials), utilization(ledger.intervals())
        if arguments.json:
            numbers = {
                **to_json(summary),
                'rate': to_json(summary.rate),
                'first_attempt_rate': to_json(summary.first_attempt_rate),
                'robot_utilization': to_json(used.robot_utilization),
            }
            _print_json({'trials': [trial_data(trial) for trial in shown], 'summary': numbers})
            return 0
        report = ledger.verify()
        out = console()
        out.print(list_table(shown))
        if len(shown) < len(trials):
            out.print(f'[dim]the newest {len(shown)} of {len(trials)} trials[/dim]')
        audits = Audits.of(ledger.run.path)
        lines = [*summary_lines(summary, used), retry_line(trials)]
        lines.append(correction_line(summary, audits.whole.tallies))
        lines += [
            environment_line(trials),
            in_words(human_seconds(trials, audits)),
            chain_line(report),
        ]
        for line in filter(None, lines):
            out.print(line)
        return 0 if report.whole else 1


def _show(arguments: argparse.Namespace) -> int:
    with LedgerReader(find_run(arguments)) as ledger:
        trial = _find(ledger, arguments.trial)
        if arguments.json:
            _print_json(trial_data(trial))
            return 0
        out = console()
        for part in show_tables(trial, ledger.run):
            out.print(part)
        return 0


def _blocks(arguments: argparse.Namespace) -> int:
    with LedgerReader(find_run(arguments)) as ledger:
        declared = blocks(ledger)
        out = console()
        if not declared:
            out.print('no block was declared; declare one with: enpire run --confirm')
            return 0
        out.print(block_table(declared))
        return 0 if all(block.valid for block in declared) else 1


def _check(arguments: argparse.Namespace) -> int:
    with LedgerReader(find_run(arguments)) as ledger:
        problems = list(audit_run(ledger))
        for problem in problems:
            print(problem)
        if not problems:
            print(f'{len(ledger.trials())} trials: ledger, bags and files agree')
        return 1 if problems else 0


def _export(arguments: argparse.Namespace) -> int:
    with LedgerReader(find_run(arguments)) as ledger:
        write = _EXPORTS[arguments.format]
        if arguments.output is None:
            write(ledger, sys.stdout)
            return 0
        try:
            with arguments.output.open('w', encoding='utf-8', newline='') as stream:
                write(ledger, stream)
        except OSError as error:
            raise StationError(
                ErrorCode.RUNNER_LEDGER_FAILED,
                f'cannot write {arguments.output}: {error.strerror}; check the path and the disk',
            ) from error
        return 0


def _find(ledger: LedgerReader, wanted: str) -> TrialRecord:
    trial = ledger.trial(wanted)
    if trial is not None:
        return trial
    names = [item.trial_id for item in ledger.trials()]
    found = [name for name in names if name.startswith(wanted) or name.endswith(wanted)]
    if len(found) == 1:
        return ledger.trial(found[0])
    if found:
        reason = f'{len(found)} trials fit it, for example {found[0]} and {found[1]}'
    else:
        reason = f'the run has {len(names)} trials' + (f', the last is {names[-1]}' * bool(names))
    raise StationError(
        ErrorCode.RUNNER_BAD_REQUEST,
        f'no trial is called {wanted}: {reason}; see `enpire trials list`',
    )


def _export_json(ledger: LedgerReader, stream: TextIO) -> None:
    report = ledger.verify()
    data = {
        'run': str(ledger.run.path),
        'chain': {'entries': report.entries, 'head': report.head, 'whole': report.whole},
        'trials': [trial_data(trial) for trial in ledger.trials()],
    }
    json.dump(data, stream, indent=2, ensure_ascii=False)
    stream.write('\n')


def _export_jsonl(ledger: LedgerReader, stream: TextIO) -> None:
    for entry in ledger.entries():
        stream.write(json.dumps(entry.exported(), ensure_ascii=False) + '\n')


def _export_csv(ledger: LedgerReader, stream: TextIO) -> None:
    writer = csv.DictWriter(stream, _CSV_COLUMNS, extrasaction='ignore', lineterminator='\n')
    writer.writeheader()
    for trial in ledger.trials():
        writer.writerow({**trial_data(trial), 'attempts': len(trial.attempts)})


_EXPORTS = {'json': _export_json, 'jsonl': _export_jsonl, 'csv': _export_csv}


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError('must be at least 1')
    return value


def _print_json(data: object) -> None:
    print(json.dumps(data, indent=2, ensure_ascii=False))
