"""Requests: seeds, going on where one was, and when to stop."""

from __future__ import annotations

from dataclasses import replace

import pytest
from scripted_station import ran, verdict

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.confirmation import read_block
from enpire_nodes.rollout.ledger import Ledger
from enpire_nodes.rollout.records import Execution, RequestRecord, TrialOutcome, VerdictOutcome
from enpire_nodes.rollout.trial.port import ResetResult
from enpire_nodes.rollout.trial.requests import Identity, RequestOutcome, RequestRunner
from enpire_nodes.rollout.trial.timeline import Timeline

REQUEST = RequestRecord('r1', 'test', trials=3, max_attempts=2, seeds=())
FAILURE = verdict(VerdictOutcome.FAILURE)


@pytest.fixture
def ledger(tmp_path):
    with Ledger(tmp_path, station='s', owner='test') as ledger:
        yield ledger


@pytest.fixture
def runner(station, ledger):
    return RequestRunner(
        station=station,
        ledger=ledger,
        timeline=Timeline(ledger.add_interval),
        identity=lambda: Identity('s', 'pin_insertion', 'digest'),
        draw_seed=lambda index: 100 + index,
    )


def lost(code: ErrorCode = ErrorCode.RUNNER_NODE_LOST) -> StationError:
    return StationError(code, f'{code.name} happened')


def test_a_request_runs_to_its_end(runner, ledger, station):
    station.verdicts = [FAILURE]
    result = runner.run(REQUEST)
    assert result.outcome is RequestOutcome.COMPLETED
    assert (result.summary.successes, result.summary.first_attempt_successes) == (3, 2)
    trials = ledger.trials_of_request('r1')
    assert [trial.seed for trial in trials] == [100, 101, 102]
    assert {trial.environment_digest for trial in trials} == {'digest'}
    assert all(trial.closed for trial in trials)
    assert ledger.verify().whole


def test_seeds_given_are_used(runner, station):
    runner.run(replace(REQUEST, seeds=(5, 6, 7)))
    assert station.seeds == [5, 6, 7]


def test_the_same_request_again_runs_nothing(runner, station):
    runner.run(REQUEST)
    station.log.clear()
    result = runner.run(REQUEST)
    assert result.outcome is RequestOutcome.COMPLETED
    assert result.summary.trials == 3
    assert station.log == []


def test_a_request_goes_on_where_it_was(runner, ledger, station):
    station.resets = [ResetResult(None, ErrorCode.RESET_PIN_NOT_FOUND, operator_needed=True)]
    stopped = runner.run(REQUEST)
    assert stopped.error_code is ErrorCode.RUNNER_OPERATOR_NEEDED
    assert stopped.summary.excluded == 1
    runner.run(REQUEST)
    assert station.seeds == [100, 101, 102]


def test_a_request_yields_after_as_many_trials_as_it_may_run_now(runner, ledger, station):
    first = runner.run(REQUEST, at_most=1)
    assert first.outcome is RequestOutcome.YIELDED
    assert len(ledger.trials_of_request('r1')) == 1
    runner.run(replace(REQUEST, request_id='r2'), at_most=1)
    assert runner.run(REQUEST, at_most=1).outcome is RequestOutcome.YIELDED
    last = runner.run(REQUEST, at_most=5)
    assert last.outcome is RequestOutcome.COMPLETED
    seeds = [trial.seed for trial in ledger.trials_of_request('r1')]
    assert seeds == [100, 101, 102]
    assert station.seeds == [100, 103, 101, 102]  # no seed is drawn twice


def test_a_block_may_be_run_a_trial_at_a_time_with_others_between(runner, ledger, station):
    block = replace(REQUEST, confirmation=True)
    for number in range(3):
        runner.run(block, at_most=1)
        runner.run(replace(REQUEST, request_id='between'), at_most=number and 1)
    assert read_block(ledger, 'r1').problems == ()


def test_the_same_identifier_for_something_else_is_refused(runner):
    runner.run(REQUEST)
    result = runner.run(replace(REQUEST, trials=4))
    assert result.outcome is RequestOutcome.STOPPED
    assert result.error_code is ErrorCode.RUNNER_BAD_REQUEST


def test_an_interrupted_trial_is_done_and_the_next_one_runs(runner, ledger, station):
    station.executions = [lost()]
    result = runner.run(REQUEST)
    outcomes = [trial.outcome for trial in ledger.trials_of_request('r1')]
    assert outcomes == [TrialOutcome.INTERRUPTED, TrialOutcome.SUCCESS, TrialOutcome.SUCCESS]
    assert result.outcome is RequestOutcome.COMPLETED
    assert (result.summary.successes, result.summary.counted) == (2, 3)


@pytest.mark.parametrize(
    ('code', 'outcome'),
    [
        (ErrorCode.RUNNER_ESTOPPED, RequestOutcome.STOPPED),
        (ErrorCode.RUNNER_CANCELED, RequestOutcome.CANCELED),
        (ErrorCode.RECORDER_DISK_FULL, RequestOutcome.STOPPED),
        (ErrorCode.ENVIRONMENT_CHANGED, RequestOutcome.STOPPED),
    ],
)
def test_what_ends_the_whole_request(runner, ledger, station, code, outcome):
    station.resets = [lost(code)]
    result = runner.run(REQUEST)
    assert (result.outcome, result.error_code) == (outcome, code)
    assert len(ledger.trials_of_request('r1')) == 1


def test_three_futile_trials_in_a_row_end_the_request(runner, ledger, station):
    failed = ResetResult(None, ErrorCode.RESET_GRASP_FAILED, 'the fingers closed on nothing')
    station.resets = [failed] * 9
    result = runner.run(replace(REQUEST, trials=9))
    assert (result.outcome, result.error_code) == (
        RequestOutcome.STOPPED,
        ErrorCode.RESET_GRASP_FAILED,
    )
    assert len(ledger.trials_of_request('r1')) == 3
    assert 'the fingers closed on nothing' in result.message


def test_a_policy_that_trips_the_gate_every_time_does_not_end_the_request(runner, station):
    unsafe = ran(execution=Execution.UNSAFE, error_code=ErrorCode.GATE_FORCE_EXCEEDED)
    station.executions = [unsafe] * 5
    result = runner.run(replace(REQUEST, trials=5))
    assert result.outcome is RequestOutcome.COMPLETED
    assert (result.summary.successes, result.summary.counted) == (0, 5)


def test_a_station_that_cannot_be_prepared_stops_the_request_before_a_row(runner, ledger, station):
    station.preparations = [lost(ErrorCode.RUNNER_STATION_NOT_READY)]
    result = runner.run(REQUEST)
    assert result.error_code is ErrorCode.RUNNER_STATION_NOT_READY
    assert ledger.trials() == []


def test_a_confirmation_block_is_declared_whole_before_its_first_trial(runner, ledger, station):
    result = runner.run(replace(REQUEST, confirmation=True))
    assert result.outcome is RequestOutcome.COMPLETED
    declared = ledger.request('r1')
    assert (declared.seeds, declared.environment_digest) == ((100, 101, 102), 'digest')
    assert station.log[0] == 'prepare', 'what is declared is what the station has'
    block = read_block(ledger, 'r1')
    assert block.valid
    assert block.summary.successes == 3


def test_a_block_does_not_go_on_in_another_environment(runner, ledger, station):
    station.resets = [lost(ErrorCode.RUNNER_ESTOPPED)]
    runner.run(replace(REQUEST, confirmation=True))
    runner.identity = lambda: Identity('s', 'pin_insertion', 'another')
    result = runner.run(replace(REQUEST, confirmation=True))
    assert result.error_code is ErrorCode.RUNNER_BAD_REQUEST
    assert len(ledger.trials()) == 1


def test_closed_trials_are_announced_in_order(runner):
    seen = []
    runner.trial_started = lambda trial: seen.append(('started', trial.trial_id))
    runner.trial_closed = lambda trial: seen.append(('closed', trial.trial_id))
    runner.run(replace(REQUEST, trials=2))
    assert [what for what, _ in seen] == ['started', 'closed', 'started', 'closed']
    assert len({trial_id for _, trial_id in seen}) == 2
