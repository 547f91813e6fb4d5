"""Putting a run in order after a crash: its bags, its open trials, and their files."""

from __future__ import annotations

from dataclasses import dataclass, replace

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.ledger import Ledger
from enpire_nodes.rollout.recording.recovery import is_unfinished, recover_bag, Recovery
from enpire_nodes.rollout.records import TrialRecord
from enpire_nodes.rollout.run_directory import RunDirectory


@dataclass(frozen=True, slots=True)
class RecoveredBag:
    """What came of one unfinished bag: either of the two is set."""

    trial_id: str
    recovery: Recovery | None
    error: StationError | None


@dataclass(frozen=True, slots=True)
class RunRecovery:
    """What was put in order.

    :param bags: those that were found unfinished.
    :param closed: trials that had no end, now INTERRUPTED.
    :param written: trials whose missing ``trial.json`` was written.
    """

    bags: list[RecoveredBag]
    closed: list[TrialRecord]
    written: list[str]

    @property
    def failed(self) -> list[RecoveredBag]:
        """Bags that could not be recovered."""
        return [bag for bag in self.bags if bag.error is not None]


def recover_run(ledger: Ledger) -> RunRecovery:
    """Recover every unfinished bag, close every open trial, and complete the files.

    Doing it again changes nothing. One bag that cannot be recovered does not stop the others.
    """
    bags = [recover_trial_bag(ledger.run, trial_id) for trial_id in unfinished_bags(ledger.run)]
    for bag in bags:
        if bag.recovery is not None:
            report = bag.recovery.report
            ledger.add_note(
                {
                    'recovered_bag': bag.trial_id,
                    'messages': report.messages,
                    'bag_digest': report.digest,
                }
            )
    closed = ledger.close_interrupted(complete=lambda trial: with_bag(ledger.run, trial, bags))
    return RunRecovery(bags, closed, ledger.complete_files())


def unfinished_bags(run: RunDirectory) -> list[str]:
    """Return the trials whose bag was not closed, sorted."""
    return sorted(path.parent.name for path in run.trials.glob('*/bag') if is_unfinished(path))


def recover_trial_bag(run: RunDirectory, trial_id: str) -> RecoveredBag:
    """Recover the bag of one trial, and say what came of it."""
    try:
        return RecoveredBag(trial_id, recover_bag(run.bag(trial_id)), None)
    except StationError as error:
        return RecoveredBag(trial_id, None, error)


def with_bag(run: RunDirectory, trial: TrialRecord, bags: list[RecoveredBag]) -> TrialRecord:
    """Return an interrupted trial with what is left of its bag."""
    mine = next((bag for bag in bags if bag.trial_id == trial.trial_id), None)
    if mine is None:
        return trial
    if mine.error is not None and mine.error.code is ErrorCode.RECORDER_BUSY:
        return replace(trial, message=f'{trial.message}; its bag is still being written')
    if mine.recovery is None:
        return replace(trial, message=f'{trial.message}; its bag is lost')
    return replace(
        trial,
        message=f'{trial.message}; {mine.recovery.report.messages} messages of its bag were saved',
        bag=run.relative(run.bag(trial.trial_id)),
        bag_digest=mine.recovery.report.digest,
    )
