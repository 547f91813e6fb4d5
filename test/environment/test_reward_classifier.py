"""The judge's node on a fake station: decided, waiting, blind, and asked twice."""

from environment.doubles import FakeStation, FakeVerifier
import numpy as np
import pytest

from enpire_msgs.msg import Verdict
from enpire_msgs.srv import Judge, JudgeEvidence
from enpire_nodes.common.errors import ErrorCode
from enpire_nodes.common.types import Frame
from enpire_nodes.environment.evidence import Evidence, save
from enpire_nodes.environment.reward_classifier import RewardClassifier
from enpire_nodes.ros import qos
from enpire_nodes.tasks import registry
from enpire_nodes.tasks.api import Outcome


@pytest.fixture
def station(ros, monkeypatch):
    monkeypatch.setitem(registry.BUILT_IN, 'fake', 'environment.doubles:FakeTask')
    monkeypatch.setattr(FakeVerifier, 'outcome', Outcome.SUCCESS)
    station = FakeStation(ros)
    node = ros.make(
        RewardClassifier, task='fake', task_file='stations/simulated.yaml', timeout=1.0
    )
    ros.wait_until(lambda: node.active)
    return station


@pytest.fixture
def judge(ros, station):
    def call(settled=None, **fields):
        settled = settled or station.now()
        request = Judge.Request(
            trial_id='t1', attempt=1, settle_start=settled, settled=settled, **fields
        )
        answers = []

        def final():
            answers.append(ros.call(Judge, 'judge', request))
            return answers[-1].outcome != Judge.Response.WAITING and answers[-1]

        answer = ros.wait_until(final, 10.0)
        call.answers = answers
        return answer

    return call


@pytest.mark.parametrize('outcome', [Outcome.SUCCESS, Outcome.FAILURE, Outcome.UNCERTAIN])
def test_waits_for_fresh_pictures_and_publishes_what_it_decides(ros, judge, monkeypatch, outcome):
    monkeypatch.setattr(FakeVerifier, 'outcome', outcome)
    published = ros.collect(Verdict, 'verdict', qos.LATCHED)
    answer = judge()
    assert judge.answers[0].outcome == Judge.Response.WAITING
    assert answer.outcome == Judge.Response.DECIDED
    assert (answer.verdict.outcome, answer.verdict.outcome_name) == (int(outcome), outcome.name)
    assert answer.verdict.votes[0].source == 'camera/side'
    assert answer.verdict.digest == FakeVerifier.digest
    ros.wait_until(lambda: published)
    assert published[-1].trial_id == 't1'


@pytest.mark.parametrize('lost', ['side', 'front'])
def test_a_missing_camera_is_never_success(judge, station, lost):
    station.cameras.discard(lost)
    answer = judge()
    assert answer.verdict.outcome == Verdict.UNCERTAIN
    assert answer.error_code == ErrorCode.REWARD_CAMERA_STALE


def test_asking_again_repeats_the_answer(judge, station):
    settled = station.now()
    first, second = judge(settled), judge(settled)
    assert first.verdict.header.stamp == second.verdict.header.stamp


def test_a_later_look_is_a_new_one(judge):
    first, second = judge(), judge()
    assert first.verdict.header.stamp != second.verdict.header.stamp


def test_more_frames_can_be_asked_for(judge):
    judge(min_frames=6)
    few = len(judge.answers)
    judge(min_frames=1)
    assert len(judge.answers) < few


def stored(path):
    image = np.zeros((24, 32, 3), np.uint8)
    frames = tuple(Frame(2.0 + 0.1 * index, image) for index in range(1, 4))
    return save(Evidence({'side': frames, 'front': frames}, (), 1.0, 2.0, 2.5, 't0/1'), path)


def test_stored_evidence_is_judged_and_disturbs_nothing(ros, judge, station, tmp_path):
    published = ros.collect(Verdict, 'verdict', qos.LATCHED)
    path = tmp_path / 'evidence.npz'
    request = JudgeEvidence.Request(path=str(path), digest=stored(path))
    settled = station.now()
    pending = Judge.Request(trial_id='t1', attempt=1, settle_start=settled, settled=settled)
    assert ros.call(Judge, 'judge', pending).outcome == Judge.Response.WAITING
    answer = ros.call(JudgeEvidence, 'judge_evidence', request)
    assert answer.outcome == JudgeEvidence.Response.DECIDED
    assert (answer.verdict.outcome, answer.verdict.trial_id) == (Verdict.SUCCESS, '')
    assert answer.verdict.votes[0].source == 'camera/side'
    assert judge(settled).verdict.trial_id == 't1'
    ros.wait_until(lambda: published)
    assert [verdict.trial_id for verdict in published] == ['t1']


def test_stored_evidence_that_was_changed_is_refused(ros, station, tmp_path):
    path = tmp_path / 'evidence.npz'
    stored(path)
    request = JudgeEvidence.Request(path=str(path), digest='0' * 64)
    answer = ros.call(JudgeEvidence, 'judge_evidence', request)
    assert answer.outcome == JudgeEvidence.Response.REFUSED
    assert answer.error_code == ErrorCode.ENVIRONMENT_EVIDENCE_UNREADABLE
    assert 'restore the file' in answer.message
