"""The auditor's node beside a real runner: what it hears, says and stops."""

from __future__ import annotations

import json
import threading

from audit_support import evidence
from broken_judges import BREAKS, CountingJudge, World
from goal_support import offer, result_of
import numpy as np
import pytest
from station_doubles import Doubles
from std_msgs.msg import Bool
from std_srvs.srv import Trigger

from enpire_msgs.action import RunTrials
from enpire_msgs.msg import AuditStatus, Heartbeat, StationState, Verdict
from enpire_msgs.srv import LabelTrial
from enpire_nodes.bringup.table import AUDITED_PARTNERS
from enpire_nodes.common.errors import ErrorCode
from enpire_nodes.rollout import judge_auditor
from enpire_nodes.rollout.auditing.book import AuditBook, LABEL
from enpire_nodes.rollout.judge_auditor import JudgeAuditor
from enpire_nodes.rollout.ledger import LedgerReader
from enpire_nodes.rollout.records import CANARY
from enpire_nodes.rollout.trial_runner import TrialRunner
from enpire_nodes.ros import qos
from enpire_nodes.tasks.api import Outcome
from enpire_nodes.tasks.second_opinion import Opinion

pytestmark = pytest.mark.ros

RUNNER = {
    'seed': 1,
    'max_attempts': 2,
    'lost_after': 5.0,
    'station_deadline': 10.0,
    'cancel_deadline': 3.0,
}


class Bench:
    """A runner, its auditor, scripted partners, and a client."""

    def __init__(self, ros, run_directory) -> None:
        self.ros, self.run_directory = ros, str(run_directory)
        self.world = World(np.random.default_rng(3))
        self.judge = CountingJudge(self.world)
        self.partners = Doubles(ros)
        self.partners.judge.decide = lambda: int(self.judge.decide())
        self._attempt = self.partners.executor.answer
        self.partners.executor.answer = self._execute
        self.statuses = ros.collect(AuditStatus, 'audit_status', qos.LATCHED)
        self.truths = None

    def publish_truth(self) -> None:
        """Be the simulated driver with its ground truth switched on."""

        def start() -> None:
            self.truths = self.ros.node.create_publisher(
                Bool, 'ground_truth/scene/success', qos.ARM_STATE
            )
            self.ros.node.create_timer(0.02, self._tell_truth)

        self.ros.within(start)

    def _tell_truth(self) -> None:
        self.truths.publish(Bool(data=self.world.success))

    def _execute(self, **fields):
        if self.partners.executor.get_parameter('controller').value == 'hold':
            self.world.depth = -0.03
        else:
            self.world.attempt()
        if self.truths is not None:
            self._tell_truth()
        return self._attempt(**fields)

    def start_runner(self, **parameters) -> TrialRunner:
        values = {**RUNNER, 'run_directory': self.run_directory, **parameters}
        self.runner = self.ros.make(TrialRunner, **values)
        self.ros.wait_until(lambda: self.runner.active, what='an active runner')
        return self.runner

    def start_auditor(self, **parameters) -> JudgeAuditor:
        values = {'run_directory': self.run_directory, 'second_verifier': False, **parameters}
        self.auditor = self.ros.make(JudgeAuditor, **values)
        self.ros.wait_until(lambda: self.auditor.active, what='an active auditor')
        return self.auditor

    def run(self, name: str, trials: int, **fields) -> RunTrials.Result:
        goal = RunTrials.Goal(request_id=name, requester='agent', trials=trials, **fields)
        return result_of(self.ros, offer(self.ros, RunTrials, 'run_trials', goal), 60.0).result

    def status(self, condition, what: str) -> AuditStatus:
        self.ros.wait_until(lambda: self.statuses and condition(self.statuses[-1]), what=what)
        return self.statuses[-1]

    def end(self, node) -> None:
        node.close()
        self.ros.remove(node)


@pytest.fixture
def bench(ros, tmp_path, monkeypatch):
    monkeypatch.setenv('ROS_DOMAIN_ID', str(ros.domain_id))  # of the station's lock
    monkeypatch.setenv('ENPIRE_KEYS', str(tmp_path / 'keys'))
    bench = Bench(ros, tmp_path / 'run')
    yield bench
    bench.runner.close()
    bench.auditor.close()


def test_a_judge_broken_in_the_middle_of_a_campaign_stops_the_station(bench):
    bench.publish_truth()
    bench.start_runner()
    bench.start_auditor()
    healthy = bench.run('healthy', 6)
    assert healthy.outcome == RunTrials.Result.COMPLETED
    status = bench.status(lambda status: status.trials == 6, 'six trials')
    assert (status.alarm, status.error_code) == (False, ErrorCode.NONE)
    assert status.tallies[0].auditor == 'truth'
    assert status.tallies[0].false_successes == 0
    assert status.tallies[0].true_successes > 0

    BREAKS['says SUCCESS always'](bench.judge)
    result = bench.run('broken', 40)
    assert result.outcome == RunTrials.Result.STOPPED
    assert result.error_code == ErrorCode.RUNNER_JUDGE_DOUBTED
    assert 'truth calls' in result.message
    assert 'enpire audit show' in result.message
    print(f'noticed after {result.completed} trials')
    assert result.completed <= 15
    status = bench.status(lambda status: status.alarm, 'the alarm')
    assert status.error_code == ErrorCode.RUNNER_JUDGE_DOUBTED
    assert status.message == result.message

    # neither a new runner nor a new auditor forgets it, even without each other
    bench.end(bench.auditor)
    bench.end(bench.runner)
    bench.start_runner()
    again = bench.run('again', 1)
    assert (again.error_code, again.completed) == (ErrorCode.RUNNER_JUDGE_DOUBTED, 0)
    bench.statuses.clear()
    bench.start_auditor()
    assert bench.status(lambda status: True, 'a status').alarm

    cleared = bench.ros.call(Trigger, 'judge_auditor/clear')
    assert cleared.success
    bench.status(lambda status: not status.alarm, 'no alarm')
    bench.judge.resolved = False
    assert bench.run('mended', 2).outcome == RunTrials.Result.COMPLETED
    assert not bench.ros.call(Trigger, 'judge_auditor/clear').success


def test_canaries_are_run_told_and_count_for_nobody(bench, tmp_path):
    listed = [{'file': 'good.npz', 'sha256': 'a' * 64, 'label': True}]
    catalogue = tmp_path / 'canaries.json'
    catalogue.write_text(json.dumps({'canaries': listed}))
    states = bench.ros.collect(StationState, 'station_state', qos.LATCHED)
    bench.start_runner(canary_every=2, canary_file=str(catalogue), max_attempts=1)
    bench.start_auditor()
    # two trials, the stored success, the known failure, the third trial
    outcomes = iter([*[Verdict.FAILURE] * 2, Verdict.SUCCESS, *[Verdict.FAILURE] * 2])
    bench.partners.judge.decide = lambda: next(outcomes)
    result = bench.run('r1', 3, controller='scripted')
    assert result.outcome == RunTrials.Result.COMPLETED, result.message
    assert result.completed == 3
    status = bench.status(lambda status: status.canaries == 2, 'two canaries')
    assert status.canaries_failed == 0
    assert [request.digest for request in bench.partners.judge.stored] == ['a' * 64]
    assert bench.partners.judge.stored[0].path == str(tmp_path / 'good.npz')
    with LedgerReader(bench.runner._ledger.run.path) as ledger:
        canaries = [trial for trial in ledger.trials() if trial.requester == CANARY]
        assert [trial.idea for trial in canaries] == ['replayed_success', 'known_failure']
        assert len(ledger.trials_of_request('r1')) == 3
    changes = [change['controller'] for change in bench.partners.executor.changes]
    assert changes == ['scripted', 'hold', 'scripted']
    bench.ros.wait_until(lambda: states[-1].trials_done == 3 and not states[-1].trial_id)


def test_a_failed_canary_stops_the_request_at_once(bench):
    bench.start_runner(canary_every=1, max_attempts=1)
    bench.start_auditor()
    BREAKS['says SUCCESS always'](bench.judge)
    result = bench.run('r1', 5)
    assert (result.error_code, result.completed) == (ErrorCode.RUNNER_JUDGE_DOUBTED, 1)
    assert 'the canary "known failure" was judged SUCCESS' in result.message
    status = bench.status(lambda status: status.canaries == 1, 'the canary')
    assert (status.alarm, status.canaries_failed) == (True, 1)


def test_a_person_labels_by_the_service_and_by_the_book(bench):
    bench.start_runner(max_attempts=1)
    bench.start_auditor(sample_share=1.0)
    bench.run('r1', 2)
    status = bench.status(lambda status: status.trials == 2, 'two trials')
    assert (status.sampled, status.waiting) == (2, 2)
    with LedgerReader(bench.runner._ledger.run.path) as ledger:
        first, second = (trial.trial_id for trial in ledger.trials())
    said = {'trial_id': first, 'labeller': 'Ada', 'seconds': 6.0, 'label': Verdict.SUCCESS}
    answer = bench.ros.call(LabelTrial, 'judge_auditor/label', LabelTrial.Request(**said))
    assert (answer.outcome, answer.error_code) == (LabelTrial.Response.ACCEPTED, ErrorCode.NONE)
    bench.status(lambda status: status.waiting == 1, 'one label')
    entry = {'trial_id': second, 'attempt': 1, 'label': 'FAILURE', 'labeller': 'B', 'seconds': 1.0}
    AuditBook(bench.runner._ledger.run.path).append(LABEL, entry)
    status = bench.status(lambda status: status.waiting == 0, 'two labels')
    assert status.tallies[0].auditor == 'person'
    for wrong in ({'trial_id': 'none'}, {'attempt': 7}, {'label': 9}, {'labeller': ''}):
        request = LabelTrial.Request(**{**said, **wrong})
        refused = bench.ros.call(LabelTrial, 'judge_auditor/label', request)
        assert refused.outcome == LabelTrial.Response.REFUSED
        assert refused.error_code == ErrorCode.RUNNER_BAD_REQUEST
        assert refused.message


def test_what_happened_while_it_was_down_is_caught_up(bench):
    bench.start_runner(max_attempts=1)
    bench.run('r1', 3)
    bench.start_auditor(sample_share=1.0)
    status = bench.status(lambda status: status.trials == 3, 'three trials')
    assert status.sampled == 3


class Opinions:
    """Finds a failure in everything; told to wait, it does so until it is let."""

    def __init__(self) -> None:
        self.go = threading.Event()

    def opine(self, frames, states) -> Opinion:
        self.go.wait(20.0)
        return Opinion(Outcome.FAILURE, 'no pin')


def test_the_second_verifier_scores_bags_while_the_station_goes_on(bench, monkeypatch):
    opinions, read = Opinions(), []

    def evidence_of(bag, *, task, attempt):
        read.append((bag.parent.name, task.name, attempt.index))
        return evidence()

    monkeypatch.setattr(judge_auditor, 'second_opinion_of', lambda task, cameras: opinions)
    monkeypatch.setattr(judge_auditor, 'evidence_of', evidence_of)
    BREAKS['says SUCCESS always'](bench.judge)
    bench.start_runner(max_attempts=1)
    bench.start_auditor(second_verifier=True)
    assert bench.run('r1', 6).completed == 6
    status = bench.status(lambda status: status.trials == 6, 'six trials')
    assert not status.alarm  # it has not looked yet, and nobody waits for it
    opinions.go.set()
    status = bench.status(
        lambda status: status.tallies and status.tallies[0].false_successes == 6, 'all six'
    )
    assert status.tallies[0].auditor == 'second_verifier'
    assert 'second_verifier calls' in status.message
    assert bench.run('r2', 1).error_code == ErrorCode.RUNNER_JUDGE_DOUBTED
    assert [item[1:] for item in read] == [('pin_insertion', 1)] * 6
    # what was scored is not scored again by the next auditor
    bench.end(bench.auditor)
    bench.start_auditor(second_verifier=True)
    bench.status(lambda status: status.trials == 6, 'six trials again')
    assert len(read) == 6


def test_a_book_that_was_tampered_with_is_a_fault_and_stops_the_station(bench):
    beats = bench.ros.collect(Heartbeat, 'heartbeats', qos.HEARTBEATS)
    bench.start_auditor()
    bench.start_runner(max_attempts=1, partners=list(AUDITED_PARTNERS), station_deadline=2.0)
    bench.run('r1', 2)
    bench.status(lambda status: status.trials == 2, 'two trials')
    path = bench.runner._ledger.run.path / 'audits.jsonl'
    path.write_bytes(path.read_bytes()[:-200])
    bench.ros.wait_until(
        lambda: any(
            beat.state == Heartbeat.FAULTED and 'judge_auditor' in beat.node for beat in beats
        ),
        what='the fault',
    )
    result = bench.run('r2', 1)
    assert result.error_code == ErrorCode.RUNNER_STATION_NOT_READY
    assert 'audits.jsonl: entry' in result.message
    assert result.completed == 0


def test_without_a_run_it_says_what_is_missing(ros, monkeypatch, tmp_path):
    monkeypatch.setenv('ENPIRE_KEYS', str(tmp_path / 'keys'))
    beats = ros.collect(Heartbeat, 'heartbeats', qos.HEARTBEATS)
    node = ros.make(JudgeAuditor)
    ros.wait_until(
        lambda: any(beat.state == Heartbeat.FAULTED for beat in beats), what='the fault'
    )
    assert not node.active
    assert any('run_directory' in beat.message for beat in beats)
