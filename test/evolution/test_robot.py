"""The robot as the supervisor asks it: one trial at a time, over deaths of the runner."""

from __future__ import annotations

import threading

from paper_runner import PaperRunner
import pytest

from enpire_nodes.common.errors import ErrorCode
from enpire_nodes.evolution import robot as robot_module
from enpire_nodes.evolution.campaign.schedule import Slice
from enpire_nodes.evolution.records import Arm, Job, JobKind
from enpire_nodes.evolution.robot import goal_of, Robot

pytestmark = pytest.mark.ros


def piece(kind: JobKind = JobKind.TEST, *, trials: int = 3, requester: str = 'agent') -> Slice:
    arm = Arm('r1', 'ab' * 20, idea='an idea', settings={'learned.policy': '/p.py'})
    job = Job('job', kind, requester, (arm,), trials, 2, (5, 6, 7)[:trials])
    return Slice(job, arm)


@pytest.fixture
def runner(ros, tmp_path):
    made = ros.within(
        lambda: ros.add(
            PaperRunner(
                tmp_path, namespace='/station_1', context=ros.context,
                use_global_arguments=False,
            )
        )
    )  # fmt: skip
    yield made
    made.close()


@pytest.fixture
def robot(ros):
    made = ros.within(lambda: Robot(ros.node, lost_after=1.0))
    yield made
    ros.within(made.destroy)


def test_a_trial_is_run_and_the_next_is_another_request_of_the_same(runner, robot):
    for _ in range(3):
        assert robot.run(piece()) == (ErrorCode.NONE, '')
    assert [goal.request_id for goal in runner.goals] == ['r1'] * 3
    assert [t.seed for t in runner.station.ledger.trials()] == [5, 6, 7]


def test_a_refusal_comes_with_its_code_and_words(runner, robot):
    runner.refusals = [(int(ErrorCode.RUNNER_JUDGE_DOUBTED), 'look at the cameras')]
    assert robot.run(piece()) == (ErrorCode.RUNNER_JUDGE_DOUBTED, 'look at the cameras')


def test_without_a_runner_it_says_so_in_time(robot, monkeypatch):
    monkeypatch.setattr(robot_module, '_READY', 0.3)
    code, words = robot.run(piece())
    assert code is ErrorCode.RUNNER_STAGE_TIMEOUT
    assert 'trial runner' in words


def test_a_runner_that_dies_in_a_trial_is_noticed(ros, tmp_path, robot, runner, monkeypatch):
    monkeypatch.setattr(robot_module, '_CANCEL', 0.5)
    runner._seconds = 60.0
    answers = []
    asking = threading.Thread(target=lambda: answers.append(robot.run(piece())))
    asking.start()
    ros.wait_until(lambda: runner.goals, what='the goal')
    ros.remove(runner)
    asking.join(30.0)
    assert answers[0][0] is ErrorCode.RUNNER_NODE_LOST


def test_closing_ends_every_wait(robot):
    answers = []
    asking = threading.Thread(target=lambda: answers.append(robot.run(piece())))
    asking.start()
    robot.close()
    asking.join(10.0)
    assert answers[0][0] is ErrorCode.SUPERVISOR_CANCELED


@pytest.mark.parametrize(
    ('kind', 'requester', 'confirmation', 'named'),
    [
        (JobKind.TEST, 'agent', False, 'agent'),
        (JobKind.CONFIRM, 'agent', True, 'agent'),
        (JobKind.RETEST, 'station', False, 'station'),
    ],
)
def test_a_goal_is_one_trial_of_the_whole_request(kind, requester, confirmation, named):
    goal = goal_of(piece(kind, requester=requester))
    assert (goal.at_most, goal.trials, list(goal.seeds)) == (1, 3, [5, 6, 7])
    assert (goal.confirmation, goal.requester) == (confirmation, named)
    assert (goal.commit, goal.idea, goal.controller) == ('ab' * 20, 'an idea', 'learned')
    assert goal.controller_parameters[0].name == 'learned.policy'
