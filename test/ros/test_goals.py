"""Deferred goals: accepted, refused while busy, canceled, finished from another callback."""

import time

from goal_support import offer, result_of
import pytest
from rclpy.action import GoalResponse

from enpire_msgs.action import ResetScene
from enpire_nodes.ros.goals import GoalServer
from enpire_nodes.ros.node import StationNode

SUCCEEDED, CANCELED, ABORTED = 4, 5, 6


class Worker(StationNode):
    def __init__(self, **arguments):
        super().__init__('worker', **arguments)
        self.server = GoalServer(
            self, ResetScene, 'reset_scene', accept=self.accept, start=self.begin
        )
        self.goals = []

    def accept(self, goal):
        return '' if goal.trial_id else 'a trial needs an id'

    def begin(self, goal):
        self.goals.append(goal)


@pytest.fixture
def worker(ros):
    return ros.make(Worker)


@pytest.fixture
def send(ros):
    def call(trial_id='t1', feedback=None):
        return offer(ros, ResetScene, 'reset_scene', ResetScene.Goal(trial_id=trial_id), feedback)

    return call


@pytest.mark.parametrize(('succeeded', 'status'), [(True, SUCCEEDED), (False, ABORTED)])
def test_a_goal_ends_when_it_is_finished(ros, worker, send, succeeded, status):
    handle = send()
    assert worker.server.busy
    worker.server.finish(ResetScene.Result(outcome=1), succeeded=succeeded)
    answer = result_of(ros, handle)
    assert (answer.status, answer.result.outcome) == (status, 1)
    assert not worker.server.busy


def test_a_second_goal_is_refused_while_one_is_under_way(ros, worker, send):
    assert send('t1').accepted
    assert not send('t2').accepted
    worker.server.finish(ResetScene.Result(), succeeded=True)
    assert send('t3').accepted


def test_a_goal_that_never_began_does_not_keep_out_the_next(ros, worker, send):
    # what rclpy leaves behind when its acceptance does not reach the client
    goal = ResetScene.Goal(trial_id='t1')
    assert worker.server._on_goal(goal) is GoalResponse.ACCEPT
    assert send('t2').accepted
    assert [goal.trial_id for goal in worker.goals] == ['t2']


def test_a_goal_that_is_not_acceptable_is_refused(worker, send):
    assert not send('').accepted
    assert not worker.server.busy


def test_a_canceled_goal_ends_as_canceled(ros, worker, send):
    handle = send()
    handle.cancel_goal_async()
    ros.wait_until(lambda: worker.server.cancel_requested)
    worker.server.finish(ResetScene.Result(outcome=4), succeeded=False)
    assert result_of(ros, handle).status == CANCELED


def test_feedback_reaches_the_client(ros, worker, send):
    seen = []
    send(feedback=seen.append)
    worker.server.feedback(stage='locate')
    ros.wait_until(lambda: seen)
    assert seen[0].stage == 'locate'


def test_waiting_goals_cost_no_processor_time(ros, worker, send):
    send()
    start = time.process_time()
    time.sleep(1.0)
    assert time.process_time() - start < 0.6
