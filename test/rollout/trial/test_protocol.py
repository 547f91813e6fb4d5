"""The order of a trial, and exactly one closed row whatever goes wrong in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from scripted_station import FIXTURE, ran, verdict

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.records import (
    Activity,
    Execution,
    TrialOutcome,
    TrialRecord,
    VerdictOutcome,
)
from enpire_nodes.rollout.trial.port import Recording, ResetResult
from enpire_nodes.rollout.trial.protocol import run_trial

FAILURE = verdict(VerdictOutcome.FAILURE)
UNCERTAIN = verdict(VerdictOutcome.UNCERTAIN, 'camera/side repeats one picture')


@pytest.fixture
def run(station, book, timeline):
    def call(max_attempts: int = 3, **options) -> TrialRecord:
        trial = TrialRecord('t1', seed=7, max_attempts=max_attempts, requester='test')
        return run_trial(
            trial, Path('/nowhere/bag'), station=station, book=book, timeline=timeline, **options
        )

    return call


def error(code: ErrorCode) -> StationError:
    return StationError(code, f'{code.name} happened')


def test_a_trial_goes_in_the_order_of_the_protocol(run, station):
    closed = run()
    assert station.log == [
        'started', 'record', 'reset', 'execute 1', 'judge 1', 'stop', 'closed',
    ]  # fmt: skip
    assert (closed.outcome, closed.error_code) == (TrialOutcome.SUCCESS, ErrorCode.NONE)
    assert closed.success
    assert closed.first_attempt_success
    assert closed.bag_digest == 'bag digest'
    assert closed.ledger_digest == 'row'
    assert not closed.infrastructure


def test_nothing_moves_when_the_first_row_cannot_be_written(run, station, book):
    book.full = True
    with pytest.raises(StationError, match='disk full'):
        run()
    assert station.log == []


def test_attempts_follow_each_other_with_what_happened_before(run, station):
    station.verdicts = [FAILURE, UNCERTAIN]
    closed = run()
    assert [len(previous) for previous in station.previous] == [0, 1, 2]
    assert station.previous[2][1].verdict is UNCERTAIN
    assert closed.outcome is TrialOutcome.SUCCESS
    assert not closed.first_attempt_success
    assert closed.attempts[0].duration == 2.0


@pytest.mark.parametrize(
    ('verdicts', 'outcome'),
    [
        ([FAILURE, FAILURE, FAILURE], TrialOutcome.FAILURE),
        ([FAILURE, UNCERTAIN, FAILURE], TrialOutcome.UNCERTAIN),
        ([verdict(VerdictOutcome.UNSET)] * 3, TrialOutcome.UNCERTAIN),
    ],
)
def test_the_verdicts_make_the_outcome(run, station, verdicts, outcome):
    station.verdicts = list(verdicts)
    closed = run()
    assert (closed.outcome, closed.error_code) == (outcome, ErrorCode.NONE)
    assert not closed.infrastructure
    assert len(closed.attempts) == 3


def test_no_further_attempt_when_it_makes_no_sense(run, station):
    station.executions = [ran(can_retry=False)]
    station.verdicts = [FAILURE]
    closed = run()
    assert closed.outcome is TrialOutcome.FAILURE
    assert len(closed.attempts) == 1
    assert 'no sense' in closed.message


@pytest.mark.parametrize('execution', [Execution.TIMED_OUT, Execution.ABORTED])
def test_an_attempt_that_ended_badly_is_judged_all_the_same(run, station, execution):
    station.executions = [ran(execution=execution, error_code=ErrorCode.POLICY_CRASHED)]
    closed = run()
    assert closed.outcome is TrialOutcome.SUCCESS
    assert closed.attempts[0].execution is execution


STOPS = [
    # what is scripted, with which error or result, the outcome, and whether a policy had run
    ('checks', error(ErrorCode.RUNNER_ESTOPPED), TrialOutcome.FAULTED, False),
    ('checks', error(ErrorCode.RUNNER_NODE_LOST), TrialOutcome.INTERRUPTED, False),
    ('starts', error(ErrorCode.RECORDER_DISK_FULL), TrialOutcome.FAULTED, False),
    ('starts', error(ErrorCode.RECORDER_TOPIC_MISSING), TrialOutcome.FAULTED, False),
    ('starts', error(ErrorCode.RUNNER_STAGE_TIMEOUT), TrialOutcome.FAULTED, False),
    ('resets', error(ErrorCode.RUNNER_NODE_LOST), TrialOutcome.INTERRUPTED, False),
    ('resets', error(ErrorCode.RUNNER_STAGE_TIMEOUT), TrialOutcome.FAULTED, False),
    ('resets', error(ErrorCode.RUNNER_CANCELED), TrialOutcome.CANCELED, False),
    ('resets', error(ErrorCode.RUNNER_ESTOPPED), TrialOutcome.FAULTED, False),
    (
        'resets',
        ResetResult(None, ErrorCode.RESET_GRASP_FAILED, recoveries=('slip',)),
        TrialOutcome.RESET_FAILED,
        False,
    ),
    (
        'resets',
        ResetResult(None, ErrorCode.RESET_PIN_NOT_FOUND, operator_needed=True),
        TrialOutcome.RESET_FAILED,
        False,
    ),
    ('resets', ResetResult(None, ErrorCode.RESET_CANCELED), TrialOutcome.CANCELED, False),
    ('executions', error(ErrorCode.POLICY_BUSY), TrialOutcome.FAULTED, False),
    ('executions', error(ErrorCode.RUNNER_NODE_LOST), TrialOutcome.INTERRUPTED, True),
    ('executions', error(ErrorCode.RUNNER_ESTOPPED), TrialOutcome.FAULTED, True),
    ('executions', error(ErrorCode.RUNNER_CANCELED), TrialOutcome.CANCELED, True),
    (
        'executions',
        ran(execution=Execution.UNSAFE, error_code=ErrorCode.GATE_FORCE_EXCEEDED),
        TrialOutcome.FAULTED,
        True,
    ),
    (
        'executions',
        ran(execution=Execution.UNSAFE, error_code=ErrorCode.GATE_NO_LEASE, steps=0),
        TrialOutcome.FAULTED,
        False,
    ),
    (
        'executions',
        ran(execution=Execution.CANCELED, error_code=ErrorCode.POLICY_CANCELED),
        TrialOutcome.CANCELED,
        True,
    ),
    ('executions', ran(execution=Execution.UNSET), TrialOutcome.FAULTED, True),
    ('verdicts', error(ErrorCode.RUNNER_NODE_LOST), TrialOutcome.INTERRUPTED, True),
    ('verdicts', error(ErrorCode.RUNNER_STAGE_TIMEOUT), TrialOutcome.FAULTED, True),
    ('verdicts', RuntimeError('a defect'), TrialOutcome.INTERRUPTED, True),
]


@pytest.mark.parametrize(('where', 'what', 'outcome', 'counts'), STOPS)
def test_every_stop_ends_with_one_closed_row_and_a_closed_bag(
    run, station, book, timeline, where, what, outcome, counts
):
    setattr(station, where, [what])
    closed = run()
    assert closed.outcome is outcome
    assert closed.error_code not in (ErrorCode.UNSET, ErrorCode.NONE)
    assert [trial.trial_id for trial in book.closed] == ['t1']
    assert station.log[-1] == 'closed'
    assert ('stop' in station.log) == ('record' in station.log)
    assert closed.counted is counts
    assert not closed.success
    assert timeline.activity is Activity.IDLE_NO_WORK


def test_an_attempt_whose_judge_was_lost_is_kept(run, station):
    station.verdicts = [FAILURE, error(ErrorCode.RUNNER_NODE_LOST)]
    closed = run()
    assert [attempt.index for attempt in closed.attempts] == [1, 2]
    assert closed.attempts[1].verdict.outcome is VerdictOutcome.UNSET


def test_a_reset_is_recorded_with_its_recoveries(run, station):
    station.resets = [ResetResult(FIXTURE, recoveries=('slipped', 'lying'))]
    closed = run()
    assert closed.reset_retries == 2
    assert closed.reset_recoveries == ('slipped', 'lying')


def test_a_success_without_a_readable_bag_is_none(run, station):
    lost = Recording(
        usable=False, complete=False, error_code=ErrorCode.RECORDER_WRITE_FAILED, message='torn'
    )
    station.recordings = [lost]
    closed = run()
    assert closed.outcome is TrialOutcome.FAULTED
    assert closed.error_code is ErrorCode.RECORDER_WRITE_FAILED
    assert closed.counted
    assert 'SUCCESS' in closed.message
    assert 'torn' in closed.message


def test_an_incomplete_bag_is_told_and_the_verdict_stands(run, station):
    code = ErrorCode.RECORDER_TOPIC_MISSING
    station.recordings = [Recording(True, False, code, '2 pictures are missing', 'd')]
    closed = run()
    assert closed.outcome is TrialOutcome.SUCCESS
    assert '2 pictures are missing' in closed.message


def test_a_recorder_that_does_not_answer_does_not_keep_the_row_open(run, station):
    station.recordings = [error(ErrorCode.RUNNER_STAGE_TIMEOUT)]
    closed = run()
    assert closed.outcome is TrialOutcome.FAULTED
    assert closed.bag_digest == ''


def test_stage_times_are_by_the_stations_clock(run, station):
    station.verdicts = [FAILURE]
    closed = run(max_attempts=2)
    assert closed.reset_seconds == pytest.approx(1.0)
    assert closed.execute_seconds == pytest.approx(2.0)
    assert closed.verify_seconds == pytest.approx(2.0)
    assert closed.robot_seconds == pytest.approx(5.0)
    assert 0.0 <= closed.wall_seconds < 1.0


def test_a_stage_that_failed_has_its_time_too(run, station):
    station.resets = [error(ErrorCode.RUNNER_NODE_LOST)]
    assert run().reset_seconds == pytest.approx(1.0)


def test_activities_follow_the_stages(run, station, intervals, timeline):
    run()
    timeline.close()
    assert [interval.activity for interval in intervals] == [
        Activity.OFFLINE,
        Activity.IDLE_NO_WORK,
        Activity.RESETTING,
        Activity.EXECUTING,
        Activity.VERIFYING,
        Activity.IDLE_NO_WORK,
    ]
    assert {interval.trial_id for interval in intervals[1:]} == {'t1'}
    assert {interval.requester for interval in intervals[1:]} == {'test'}


def test_progress_is_told_for_every_attempt_and_verdict(run, station):
    told = []
    station.verdicts = [FAILURE]
    run(max_attempts=2, progress=lambda index, judged: told.append((index, judged is None)))
    assert told == [(1, True), (1, False), (2, True), (2, False)]


def test_the_policy_is_not_told_the_seed_of_the_starting_pose(run, station, monkeypatch):
    seen = []
    monkeypatch.setattr(station, 'execute', lambda *_, seed, **__: (seen.append(seed), ran())[1])
    run()
    assert station.seeds == [7]
    assert seen != [7]
