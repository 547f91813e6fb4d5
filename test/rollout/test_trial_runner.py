"""The runner's node among partners that do as they are told."""

from __future__ import annotations

import time

from goal_support import offer, result_of
import pytest
from station_doubles import Doubles

from enpire_msgs.action import ExecutePolicy, ResetScene, RunTrials
from enpire_msgs.msg import Heartbeat, SafetyState, StationState, Trial, Verdict
from enpire_nodes.common.errors import ErrorCode
from enpire_nodes.rollout.ledger import LedgerReader
from enpire_nodes.rollout.records import Activity, TrialOutcome, TrialRecord
from enpire_nodes.rollout.trial_runner import TrialRunner
from enpire_nodes.ros import qos

pytestmark = pytest.mark.ros

LOST_AFTER = 1.5


class Bench:
    """A runner, its partners, and a client."""

    def __init__(self, ros, run_directory, **options) -> None:
        self.ros, self.run_directory = ros, run_directory
        self.partners = Doubles(ros, **options)
        self.states = self.collect(StationState, 'station_state', qos.LATCHED)
        self.trials = self.collect(Trial, 'trial', qos.EVENTS)
        self.feedback = []
        self.start_runner()
        self.wait_idle()

    def collect(self, kind: type, topic: str, profile: object) -> list:
        return self.ros.collect(kind, topic, profile)

    def start_runner(self, **parameters) -> TrialRunner:
        values = {
            'run_directory': str(self.run_directory),
            'seed': 1,
            'max_attempts': 3,
            'lost_after': LOST_AFTER,
            'station_deadline': 3.0,
            'cancel_deadline': 3.0,
            'recorder_start_deadline': 3.0,
            'recorder_stop_deadline': 3.0,
        }
        self.states.clear()  # of the runner before it
        self.runner = self.ros.make(TrialRunner, **{**values, **parameters})
        return self.runner

    def wait_idle(self) -> None:
        self.ros.wait_until(
            lambda: self.states and self.states[-1].state == StationState.IDLE_NO_WORK,
            what='an idle station',
        )

    def send(self, **fields):
        """Send a goal; return its handle once it was accepted."""
        goal = RunTrials.Goal(**{'request_id': 'r1', 'requester': 'test', 'trials': 1, **fields})
        return offer(self.ros, RunTrials, 'run_trials', goal, self.feedback.append)

    def result(self, handle, timeout: float = 20.0) -> RunTrials.Result:
        return result_of(self.ros, handle, timeout).result

    def run(self, **fields) -> RunTrials.Result:
        return self.result(self.send(**fields))

    def rows(self) -> list[TrialRecord]:
        with LedgerReader(self.run_directory) as ledger:
            assert ledger.verify().whole
            return ledger.trials()

    def wait_state(self, state: int) -> None:
        self.ros.wait_until(
            lambda: self.states and self.states[-1].state == state, what=f'state {state}'
        )


@pytest.fixture
def bench(ros, tmp_path, monkeypatch):
    monkeypatch.setenv('ROS_DOMAIN_ID', str(ros.domain_id))  # of the station's lock
    bench = Bench(ros, tmp_path / 'run')
    yield bench
    bench.runner.close()


def test_trials_run_and_are_told(bench):
    bench.partners.judge.verdicts = [Verdict.FAILURE, Verdict.SUCCESS, Verdict.SUCCESS]
    result = bench.run(trials=2)
    assert (result.outcome, result.error_code) == (RunTrials.Result.COMPLETED, ErrorCode.NONE)
    assert (result.completed, result.successes, result.first_attempt_successes) == (2, 2, 1)
    rows = bench.rows()
    assert [row.outcome for row in rows] == [TrialOutcome.SUCCESS] * 2
    assert [len(row.attempts) for row in rows] == [2, 1]
    assert all(row.bag_digest == 'bag digest' for row in rows)
    assert all(row.ledger_digest for row in rows)
    bench.ros.wait_until(lambda: len(bench.trials) == 2 and bench.feedback)
    assert [trial.trial_id for trial in bench.trials] == [row.trial_id for row in rows]
    assert bench.trials[0].ledger_digest == rows[0].ledger_digest
    assert bench.feedback[0].last_trial.trial_id == rows[0].trial_id
    second = bench.partners.executor.goals[1]
    assert second.previous[0].verdict.outcome == Verdict.FAILURE
    assert [goal.seed for goal in bench.partners.reset.goals] == [row.seed for row in rows]
    bench.wait_idle()
    last = bench.states[-1]
    assert (last.trial_id, last.trials_done, last.successes, last.streak) == ('', 2, 2, 2)
    shown = {state.state for state in bench.states}
    assert {StationState.EXECUTING, StationState.VERIFYING} <= shown


def test_a_defect_of_the_runner_ends_its_request_and_nothing_else(bench, monkeypatch):
    def fail(*arguments, **named):
        raise ZeroDivisionError('a defect')

    monkeypatch.setattr(type(bench.runner._requests), 'run', fail)
    result = bench.run()
    assert result.outcome == RunTrials.Result.STOPPED
    assert result.error_code == ErrorCode.RUNNER_INTERNAL
    assert 'ZeroDivisionError: a defect; see the log' in result.message
    monkeypatch.undo()
    assert bench.run().outcome == RunTrials.Result.COMPLETED


def test_the_same_request_again_runs_only_what_is_missing(bench):
    bench.run(trials=2, seeds=[5, 6])
    again = bench.run(trials=2, seeds=[5, 6])
    assert (again.outcome, again.completed) == (RunTrials.Result.COMPLETED, 2)
    assert len(bench.rows()) == 2
    other = bench.run(trials=3)
    assert other.error_code == ErrorCode.RUNNER_BAD_REQUEST


@pytest.mark.parametrize(
    ('fields', 'words'),
    [
        ({'trials': 0}, 'at least 1'),
        ({'max_attempts': 9}, '1 to 8'),
        ({'trials': 2, 'seeds': [1]}, '1 seeds for 2 trials'),
        ({'request_id': 'two words'}, 'spaces'),
    ],
)
def test_a_request_that_contradicts_itself_is_explained(bench, fields, words):
    result = bench.run(**fields)
    assert result.error_code == ErrorCode.RUNNER_BAD_REQUEST
    assert words in result.message
    assert bench.rows() == []


def test_the_controller_is_set_before_the_trial_and_recorded(bench):
    from enpire_nodes.rollout.messages import parameter_messages

    result = bench.run(
        controller='spiral_search', controller_parameters=parameter_messages({'press_force': 2.0})
    )
    assert result.outcome == RunTrials.Result.COMPLETED
    assert bench.partners.executor.changes == [
        {'controller': 'spiral_search', 'spiral_search.press_force': 2.0}
    ]
    assert bench.rows()[0].controller == 'spiral_search'
    again = bench.run(request_id='r2', controller='scripted')
    assert again.outcome == RunTrials.Result.COMPLETED
    assert bench.rows()[1].controller == 'scripted'


def test_an_unknown_controller_stops_the_request_before_anything_moves(bench):
    result = bench.run(controller='nonsense')
    assert result.outcome == RunTrials.Result.STOPPED
    assert result.error_code == ErrorCode.POLICY_UNKNOWN_CONTROLLER
    assert 'nonsense' in result.message
    assert bench.rows() == []


STAGES = {
    'reset': ('reset', TrialOutcome.INTERRUPTED),
    'execute': ('executor', TrialOutcome.INTERRUPTED),
}


@pytest.mark.parametrize('lost', ['driver', 'gate', 'reset', 'executor', 'judge', 'recorder'])
@pytest.mark.parametrize('stage', STAGES)
def test_a_node_lost_in_a_stage_interrupts_the_trial_and_the_next_one_runs(bench, stage, lost):
    worker = getattr(bench.partners, STAGES[stage][0])
    worker.takes = None
    handle = bench.send(trials=2)
    bench.ros.wait_until(lambda: worker.goals, what=f'the {stage} stage')
    bench.partners.kill(lost)
    bench.wait_state(StationState.FAULTED)
    replacement = bench.partners.start(lost)
    for node in (worker, replacement):
        node.takes = 0.0
    result = bench.result(handle)
    rows = bench.rows()
    assert [row.outcome for row in rows] == [TrialOutcome.INTERRUPTED, TrialOutcome.SUCCESS]
    assert rows[0].error_code is ErrorCode.RUNNER_NODE_LOST
    assert replacement.get_name() in rows[0].message
    assert rows[0].counted is (stage == 'execute')
    assert result.outcome == RunTrials.Result.COMPLETED
    if worker is not getattr(bench.partners, lost) and lost != STAGES[stage][0]:
        assert worker.canceled == 1
    if lost != 'recorder':
        assert rows[0].trial_id in bench.partners.recorder.stopped


def test_a_node_that_restarts_faster_than_it_is_missed_is_noticed(bench):
    bench.partners.reset.takes = None
    handle = bench.send(trials=2)
    bench.ros.wait_until(lambda: bench.partners.reset.goals)
    bench.partners.kill('judge')
    bench.partners.start('judge')
    bench.ros.wait_until(lambda: bench.partners.reset.canceled)
    bench.partners.reset.takes = 0.0
    assert bench.result(handle).outcome == RunTrials.Result.COMPLETED
    assert 'restarted' in bench.rows()[0].message


def test_a_station_that_stays_broken_stops_the_request(bench):
    bench.partners.kill('judge')
    bench.wait_state(StationState.FAULTED)
    result = bench.run()
    assert result.outcome == RunTrials.Result.STOPPED
    assert result.error_code == ErrorCode.RUNNER_STATION_NOT_READY
    assert 'reward_classifier' in result.message
    assert bench.rows() == []


def test_the_emergency_stop_ends_trial_and_request(bench):
    bench.partners.reset.takes = None
    handle = bench.send(trials=5)
    bench.ros.wait_until(lambda: bench.partners.reset.goals)
    bench.partners.gate.say(SafetyState.ESTOPPED, 'a person pressed it')
    result = bench.result(handle)
    assert result.outcome == RunTrials.Result.STOPPED
    assert result.error_code == ErrorCode.RUNNER_ESTOPPED
    assert 'rearm' in result.message
    assert bench.partners.reset.canceled == 1
    assert [row.outcome for row in bench.rows()] == [TrialOutcome.FAULTED]
    bench.wait_state(StationState.ESTOPPED)
    bench.partners.gate.say(SafetyState.HOLDING)
    bench.wait_idle()


@pytest.mark.parametrize('stage', ['reset', 'executor'])
def test_cancel_makes_a_controlled_stop(bench, stage):
    worker = getattr(bench.partners, stage)
    worker.takes = None
    handle = bench.send(trials=5)
    bench.ros.wait_until(lambda: worker.goals)
    handle.cancel_goal_async()
    result = bench.result(handle)
    assert (result.outcome, result.error_code) == (
        RunTrials.Result.CANCELED,
        ErrorCode.RUNNER_CANCELED,
    )
    assert worker.canceled == 1
    rows = bench.rows()
    assert [row.outcome for row in rows] == [TrialOutcome.CANCELED]
    assert rows[0].trial_id in bench.partners.recorder.stopped
    worker.takes = 0.0
    assert bench.run(request_id='r2').outcome == RunTrials.Result.COMPLETED


def test_a_recorder_that_refuses_keeps_the_arms_still(bench):
    bench.partners.recorder.refuse = ErrorCode.RECORDER_DISK_FULL
    result = bench.run(trials=5)
    assert result.error_code == ErrorCode.RECORDER_DISK_FULL
    assert bench.partners.reset.goals == []
    rows = bench.rows()
    assert [row.outcome for row in rows] == [TrialOutcome.FAULTED]
    assert rows[0].infrastructure


def test_an_operator_is_called(bench):
    bench.partners.reset.results = [
        {
            'outcome': ResetScene.Result.OPERATOR_NEEDED,
            'error_code': int(ErrorCode.RESET_PIN_OUT_OF_REACH),
            'message': 'the pin lies on the floor',
        }
    ]
    result = bench.run(trials=5)
    assert result.error_code == ErrorCode.RUNNER_OPERATOR_NEEDED
    assert 'on the floor' in result.message
    assert [row.outcome for row in bench.rows()] == [TrialOutcome.RESET_FAILED]


def test_a_tripped_gate_ends_the_trial_and_not_the_request(bench):
    bench.partners.executor.results = [
        {
            'outcome': ExecutePolicy.Result.UNSAFE,
            'error_code': int(ErrorCode.GATE_FORCE_EXCEEDED),
            'message': '31 N',
        }
    ]
    result = bench.run(trials=2)
    assert result.outcome == RunTrials.Result.COMPLETED
    assert (result.successes, result.excluded) == (1, 0)
    assert bench.rows()[0].error_code is ErrorCode.GATE_FORCE_EXCEEDED


@pytest.mark.parametrize('stage', ['reset', 'executor'])
def test_a_node_that_died_is_the_cause_of_the_gates_stop(bench, stage):
    worker = getattr(bench.partners, stage)
    fields = {
        'error_code': int(ErrorCode.GATE_COMMAND_STALE),
        'outcome': ResetScene.Result.FAILED if stage == 'reset' else ExecutePolicy.Result.UNSAFE,
    }
    worker.results, worker.takes = [fields], 0.3
    bench.runner._client.presence._lost_after = 60.0  # it is announced, not missed
    handle = bench.send(trials=2)
    bench.ros.wait_until(lambda: worker.goals)
    bench.ros.wait_until(lambda: not worker.results, what='the failure')
    announced = Heartbeat(
        node='/station_1/driver',
        incarnation=bench.partners.driver.incarnation,
        state=Heartbeat.FAULTED,
        message='its process was killed by SIGKILL',
    )
    bench.partners.driver._heartbeats.publish(announced)
    bench.result(handle)
    row = bench.rows()[0]
    assert row.outcome is TrialOutcome.INTERRUPTED
    assert row.error_code is ErrorCode.RUNNER_NODE_LOST
    assert 'SIGKILL' in row.message


def test_a_judge_that_cannot_work_leaves_the_trial_uncertain(bench):
    bench.partners.judge.refuse = True
    assert bench.run().successes == 0
    row = bench.rows()[0]
    assert row.outcome is TrialOutcome.UNCERTAIN
    assert row.attempts[0].verdict.error_code is ErrorCode.REWARD_CAMERA_MISSING


def test_a_stage_without_end_is_ended(bench):
    bench.runner.close()
    bench.ros.remove(bench.runner)
    bench.start_runner(reset_deadline=0.5, judge_deadline=0.5, patience=1)
    bench.wait_idle()
    bench.partners.judge.wait_for_ever = True
    bench.run()
    assert bench.rows()[0].error_code is ErrorCode.RUNNER_STAGE_TIMEOUT
    bench.partners.reset.takes = None
    result = bench.run(request_id='r2')
    assert result.error_code == ErrorCode.RUNNER_STAGE_TIMEOUT
    assert bench.partners.reset.canceled == 1


def test_a_runner_that_died_closes_its_trial_when_it_is_back(bench):
    bench.partners.executor.takes = None
    bench.send(trials=2)
    bench.ros.wait_until(lambda: bench.partners.executor.goals)
    # as after kill -9: the row stays open, the locks are given back by the kernel
    bench.runner._held.close()
    bench.runner._requests.ledger.close_trial = lambda trial: trial
    bench.runner.close()
    bench.ros.remove(bench.runner)
    trial_id = bench.rows()[0].trial_id
    assert not bench.rows()[0].closed
    bench.partners.executor.takes = 0.0
    bench.start_runner()
    bench.ros.wait_until(lambda: bench.rows()[0].closed, what='the closed row')
    row = bench.rows()[0]
    assert row.outcome is TrialOutcome.INTERRUPTED
    assert row.error_code is ErrorCode.RUNNER_INTERRUPTED
    assert row.counted
    bench.ros.wait_until(lambda: [trial.trial_id for trial in bench.trials] == [trial_id])


def test_a_runner_that_is_stopped_closes_its_trial_itself(bench):
    bench.partners.executor.takes = None
    bench.send(trials=2)
    bench.ros.wait_until(lambda: bench.partners.executor.goals)
    bench.runner.close()
    rows = bench.rows()
    said = [(row.error_code, row.message) for row in rows]
    assert [row.outcome for row in rows] == [TrialOutcome.INTERRUPTED], said


def test_a_second_runner_is_refused(bench, ros, tmp_path):
    beats = bench.collect(Heartbeat, 'heartbeats', qos.HEARTBEATS)
    first = bench.runner
    bench.start_runner(run_directory=str(tmp_path / 'other'))
    told = ros.wait_until(
        lambda: [beat for beat in beats if beat.state == Heartbeat.FAULTED], what='a refusal'
    )
    assert 'RUNNER_STATION_LOCKED' in told[0].message
    assert 'trial_runner' in told[0].message
    bench.runner = first


def test_utilization_and_reset_statistics_are_published(bench):
    from enpire_msgs.msg import ResetStatistics, Utilization

    resets = bench.collect(ResetStatistics, 'reset_statistics', qos.LATCHED)
    shares = bench.collect(Utilization, 'utilization', qos.LATCHED)
    bench.partners.reset.takes = 0.3
    bench.partners.reset.results = [
        {'retries': 1, 'recoveries': ['slipped']},
        {'outcome': ResetScene.Result.FAILED, 'error_code': int(ErrorCode.RESET_GRASP_FAILED)},
    ]
    bench.run(trials=2)
    bench.ros.wait_until(lambda: resets and resets[-1].attempts == 2)
    assert (resets[-1].successes, resets[-1].retries) == (1, 1)
    assert dict(zip(resets[-1].causes, resets[-1].counts, strict=True)) == {
        'slipped': 1,
        'reset_grasp_failed': 1,
    }
    assert resets[-1].mean_seconds == pytest.approx(0.3, abs=0.2)
    bench.ros.wait_until(lambda: shares and shares[-1].resetting > 0.5)
    share = shares[-1]
    total = sum(getattr(share, activity.name.lower()) for activity in Activity if activity)
    assert total == pytest.approx(share.wall_seconds, abs=0.01)
    assert share.robot_utilization == pytest.approx(
        (share.resetting + share.executing + share.verifying) / share.wall_seconds, abs=0.01
    )


def test_deactivation_stops_the_request(bench):
    bench.partners.reset.takes = None
    handle = bench.send(trials=3)
    bench.ros.wait_until(lambda: bench.partners.reset.goals)
    bench.runner._post(bench.runner.trigger_deactivate)
    result = bench.result(handle)
    assert result.outcome == RunTrials.Result.CANCELED
    assert bench.partners.reset.canceled == 1
    time.sleep(0.1)
    assert len(bench.rows()) == 1
