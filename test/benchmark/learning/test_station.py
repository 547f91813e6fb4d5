"""The station of the benchmark: a person comes when a reset fails, and that is counted."""

from dataclasses import replace

import pytest

from enpire_nodes.benchmark.learning import station as module
from enpire_nodes.benchmark.learning.station import LearningStation, RESCUE
from enpire_nodes.common.errors import ErrorCode
from enpire_nodes.rollout.controllers.hold import Hold
from enpire_nodes.rollout.records import TrialOutcome

GRASP = ErrorCode.RESET_GRASP_FAILED


class Bench:
    """Stands in for the bare station and its trials."""

    def __init__(self):
        self.outcomes, self.opened, self.closed = [], [], 0
        self.used, self.trials, self.traces = [], [], {}
        self.timeline, self.station = None, self
        self.code = ErrorCode.RESET_LYING_NOT_RECOVERED

    def open(self, setup):
        self.opened.append(setup)
        return self

    def close(self):
        self.closed += 1

    def use(self, controller, name):
        self.used.append((controller, name))

    def run(self, trial, bag, **parts):
        self.trials.append(trial)
        outcome = self.outcomes.pop(0)
        code = self.code if outcome is TrialOutcome.RESET_FAILED else ErrorCode.NONE
        return replace(
            trial, outcome=outcome, error_code=code, reset_seconds=4.0, execute_seconds=6.0
        )


@pytest.fixture
def bench(monkeypatch):
    bench = Bench()
    monkeypatch.setattr(module, 'BareTrials', bench.open)
    monkeypatch.setattr(module, 'run_trial', bench.run)
    return bench


def test_a_trial_costs_what_the_robot_worked(bench):
    bench.outcomes = [TrialOutcome.SUCCESS, TrialOutcome.FAILURE]
    station = LearningStation(5)
    policy = object()
    for seed in (11, 12):
        station.run(policy, seed, name='no compensation', attempts=8)
    assert (station.rescues, station.robot_seconds) == (0, 20.0)
    assert len(bench.opened) == 1
    assert bench.used == [(policy, 'no compensation')] * 2
    assert [trial.seed for trial in bench.trials] == [11, 12]
    assert {trial.max_attempts for trial in bench.trials} == {8}
    assert [trial.trial_id for trial in bench.trials] == [
        'no-compensation-5-0001', 'no-compensation-5-0002',
    ]  # fmt: skip


def test_a_reset_that_fails_brings_a_person_who_costs_a_minute(bench):
    bench.outcomes = [TrialOutcome.RESET_FAILED, TrialOutcome.SUCCESS]
    station = LearningStation(5)
    trial, record = station.run(object(), 11, name='x')
    assert record.outcome is TrialOutcome.SUCCESS
    assert trial.success
    assert (station.rescues, station.robot_seconds) == (1, 20.0 + RESCUE)
    assert len(bench.opened) == 2, 'the station is set up anew'
    assert bench.closed == 1, 'and the old one is released'
    assert len({trial.trial_id for trial in bench.trials}) == 2


def test_a_scene_that_cannot_be_reset_is_given_up(bench):
    bench.outcomes = [TrialOutcome.RESET_FAILED] * 3
    station = LearningStation(5)
    trial, record = station.run(object(), 11, name='x')
    assert record.outcome is TrialOutcome.RESET_FAILED
    assert trial.attempts == ()
    assert (station.rescues, station.robot_seconds) == (3, 30.0 + 3 * RESCUE)


def test_a_reset_that_may_work_the_next_time_is_repeated_without_a_person(bench):
    bench.outcomes, bench.code = [TrialOutcome.RESET_FAILED, TrialOutcome.SUCCESS], GRASP
    station = LearningStation(5)
    assert station.run(object(), 11, name='x')[1].success
    assert (station.rescues, station.robot_seconds) == (0, 20.0)
    assert len(bench.opened) == 1


@pytest.mark.parametrize('outcome', [TrialOutcome.FAULTED, TrialOutcome.FAILURE])
def test_other_ends_bring_nobody(bench, outcome):
    bench.outcomes = [outcome]
    station = LearningStation(5)
    station.run(object(), 11, name='x')
    assert station.rescues == 0


def test_controllers_may_be_named_and_exploring_is_marked(bench):
    bench.outcomes = [TrialOutcome.SUCCESS] * 2
    station = LearningStation(5)
    trial, _ = station.run('hold', 11, name='hold', explore=True)
    assert isinstance(bench.used[0][0], Hold)
    assert trial.explored
    trial, _ = station.run('hold', 11, name='hold')
    assert not trial.explored
    station.close()
    assert bench.closed == 1
