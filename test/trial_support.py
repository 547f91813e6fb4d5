"""Trials, runs and bags to test with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
import struct

from enpire_nodes.common.errors import ErrorCode
from enpire_nodes.rollout.ledger import Ledger
from enpire_nodes.rollout.recording.definitions import Definition
from enpire_nodes.rollout.recording.metadata import OfferedQos
from enpire_nodes.rollout.recording.writer import BagSettings, BagWriter
from enpire_nodes.rollout.records import (
    Activity,
    AttemptRecord,
    Execution,
    StateInterval,
    TrialOutcome,
    TrialRecord,
    VerdictOutcome,
    VerdictRecord,
    VoteRecord,
)

#: A message type that needs no ROS installation.
COUNTER = Definition(
    'test_msgs/msg/Counter',
    'uint32 count\n',
    'RIHS01_78b85d4862665911dedaa0a804d44388b997ea9f19c4c75b93ee80d92d6fac3d',
)
START_NS = 1_700_000_000 * 10**9


def attempt(index: int, verdict: VerdictOutcome) -> AttemptRecord:
    """Return an attempt that was judged by one camera and by force."""
    votes = (
        VoteRecord('camera/side', verdict, 0.9, 3, 0.05, 'tip 31.2 mm deep'),
        VoteRecord('force', verdict, 0.8, 40, 0.01, '4.1 N sideways'),
    )
    return AttemptRecord(
        index=index,
        start_ns=START_NS,
        end_ns=START_NS + 2 * 10**9,
        execution=Execution.COMPLETED,
        error_code=ErrorCode.NONE,
        steps=60,
        duration=2.0,
        peak_force=7.5,
        depth=0.031,
        verdict=VerdictRecord(verdict, START_NS, 0.8, votes, 0.06, ErrorCode.NONE),
    )


def open_trial(trial_id: str = 'trial_1', **fields: object) -> TrialRecord:
    """Return a trial as it is before anything moves."""
    known = {
        'request_id': 'request_1',
        'requester': 'test',
        'station': 'station_1',
        'task': 'pin_insertion',
        'controller': 'scripted',
        'controller_parameters': {'speed': 0.05, 'spiral': True},
        'seed': 2**63 + 11,
        'start_ns': START_NS,
        'max_attempts': 8,
    }
    return TrialRecord(trial_id, **{**known, **fields})


def ended(trial: TrialRecord, outcome: TrialOutcome = TrialOutcome.SUCCESS) -> TrialRecord:
    """Return a trial with an end; a success comes at its second attempt."""
    verdicts = [VerdictOutcome.FAILURE]
    if outcome is TrialOutcome.SUCCESS:
        verdicts.append(VerdictOutcome.SUCCESS)
    return replace(
        trial,
        outcome=outcome,
        error_code=ErrorCode.NONE,
        stamp_ns=START_NS + 20 * 10**9,
        end_ns=START_NS + 20 * 10**9,
        attempts=tuple(attempt(index + 1, verdict) for index, verdict in enumerate(verdicts)),
        reset_seconds=10.0,
        execute_seconds=4.0,
        verify_seconds=1.0,
        wall_seconds=20.0,
        reset_retries=1,
        reset_recoveries=('slipped',),
    )


def fill(run: Path, outcomes: list[TrialOutcome]) -> None:
    """Make a run with a closed trial for each outcome, each with a small bag."""
    with Ledger(run, station='station_1', owner='test') as ledger:
        for number, outcome in enumerate(outcomes):
            trial = open_trial(f'trial_{number:03d}')
            ledger.start_trial(trial)
            write_bag(ledger.run.bag(trial.trial_id), 10)
            ledger.close_trial(replace(ended(trial, outcome), bag=f'trials/{trial.trial_id}/bag'))
            begin = number * 10 * 10**9
            for activity in (Activity.RESETTING, Activity.EXECUTING, Activity.IDLE_NO_WORK):
                ledger.add_interval(
                    StateInterval(
                        activity, START_NS + begin, START_NS + begin + 2 * 10**9, begin,
                        begin + 2 * 10**9, 'test', trial.trial_id,
                    )
                )  # fmt: skip
                begin += 2 * 10**9


def counter(value: int) -> bytes:
    """Return a :data:`COUNTER` message as CDR."""
    return b'\x00\x01\x00\x00' + struct.pack('<I', value)


def write_bag(
    directory: Path, messages: int, *, close: bool = True, settings: BagSettings | None = None
) -> BagWriter:
    """Write counters onto two topics, in turn, 10 ms apart."""
    writer = BagWriter(directory, settings=settings, custom_data={'trial_id': 'trial_1'})
    channels = [
        writer.add_topic(f'/station_1/{name}', COUNTER, (OfferedQos(),)) for name in ('a', 'b')
    ]
    for number in range(messages):
        writer.write(channels[number % 2], counter(number), START_NS + number * 10**7)
    if close:
        writer.close()
    return writer
