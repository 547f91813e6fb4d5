"""Whether ledger, bags and files of a run tell the same story."""

from __future__ import annotations

from collections.abc import Iterator
import json

from enpire_nodes.common.errors import StationError
from enpire_nodes.rollout.ledger import LedgerReader
from enpire_nodes.rollout.ledger.chain import NOTE
from enpire_nodes.rollout.record_json import trial_data
from enpire_nodes.rollout.recording.check import check_bag
from enpire_nodes.rollout.records import TrialRecord


def audit_run(ledger: LedgerReader) -> Iterator[str]:
    """Yield every contradiction, in words; nothing when there is none.

    A ledger that was cut off at its end is a whole chain: it shows here, because the files beside
    the bags name entries that are gone.
    """
    report = ledger.verify()
    if not report.whole:
        yield f'ledger: entry {report.bad_sequence} is bad: {report.problem}'
    notes = [entry.data for entry in ledger.entries(NOTE)]
    recovered = {
        note['recovered_bag']: note['bag_digest'] for note in notes if 'recovered_bag' in note
    }
    trials = {trial.trial_id: trial for trial in ledger.trials()}
    for trial in trials.values():
        if not trial.closed:
            yield f'trial {trial.trial_id}: it has no end; without a runner, run `enpire recover`'
            continue
        yield from _file_problems(ledger, trial)
        yield from _bag_problems(ledger, trial, recovered.get(trial.trial_id))
    for directory in sorted(ledger.run.trials.glob('*/')):
        if directory.name not in trials:
            yield f'trial {directory.name}: it has files, and the ledger does not know it'


def _file_problems(ledger: LedgerReader, trial: TrialRecord) -> Iterator[str]:
    path = ledger.run.trial_json(trial.trial_id)
    try:
        data = json.loads(path.read_text())
        digest = data['ledger_digest']
        # as JSON gives numbers back; what an older version did not write is not compared
        known = json.loads(json.dumps(trial_data(trial)))
        other = [name for name, value in known.items() if data.get(name, value) != value]
    except FileNotFoundError:
        yield f'trial {trial.trial_id}: trial.json is missing; run `enpire recover`'
    except (OSError, ValueError, KeyError, TypeError) as error:
        yield f'trial {trial.trial_id}: trial.json cannot be read ({error})'
    else:
        if digest != trial.ledger_digest:
            yield f'trial {trial.trial_id}: trial.json is of another ledger entry'
        elif other:
            names = ', '.join(other)
            yield f'trial {trial.trial_id}: trial.json says otherwise than the ledger of: {names}'


def _bag_problems(
    ledger: LedgerReader, trial: TrialRecord, recovered_digest: str | None
) -> Iterator[str]:
    directory = ledger.run.bag(trial.trial_id)
    if not trial.bag and not directory.exists():
        return
    try:
        report = check_bag(directory)
    except StationError as error:
        yield f'trial {trial.trial_id}: {error.message}'
        return
    known = {digest for digest in (trial.bag_digest, recovered_digest) if digest}
    if known and report.digest not in known:
        yield f'trial {trial.trial_id}: its bag was changed after it was recorded'
