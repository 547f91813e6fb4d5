"""The executor with the real gate, driver and pin task, in lockstep and without pictures."""

import math

from builtin_interfaces.msg import Duration
from geometry_msgs.msg import PoseStamped
from goal_support import offer, result_of
import numpy as np
import pytest

from enpire_msgs.action import ExecutePolicy
from enpire_nodes.common.errors import ErrorCode
from enpire_nodes.common.files import config_file
from enpire_nodes.drivers.simulated.node import SimulatedDriver
from enpire_nodes.environment.safety_gate import SafetyGate
from enpire_nodes.rollout.policy_executor import PolicyExecutor
from enpire_nodes.ros import convert, qos

pytestmark = [pytest.mark.ros, pytest.mark.slow, pytest.mark.timeout(180)]

Result = ExecutePolicy.Result


@pytest.fixture
def station(ros, monkeypatch, tmp_path):
    """Bring driver, gate and executor up; return the executor and what the arm reports."""
    monkeypatch.setenv('MUJOCO_GL', 'disable')
    poses = ros.collect(PoseStamped, 'right/tcp_pose', qos.ARM_STATE)
    shared = {'pace': 'lockstep', 'use_sim_time': True}
    ros.make(SimulatedDriver, seed=3, **shared)
    ros.make(
        SafetyGate,
        limits_file=str(config_file('safety/yam.yaml')),
        run_directory=str(tmp_path),
        heartbeat_timeout=5.0,  # generous: the nodes share one thread, and tests their processors
        lockstep_timeout=20.0,
        lockstep_driver_timeout=20.0,
        **shared,
    )
    node = ros.make(
        PolicyExecutor,
        controller='hold',
        run_directory=str(tmp_path),
        step_deadline=10.0,
        stale_after=20.0,
        **{'hold.duration': 1.0},
        **shared,
    )
    ros.wait_until(lambda: node.active and len(poses) > 10, 30.0, 'the station runs')
    yield node, poses
    node.close()


@pytest.fixture
def execute(ros, station):
    _, poses = station

    def call():
        goal = ExecutePolicy.Goal(trial_id='t', attempt=1, timeout=Duration(sec=5))
        goal.fixture = convert.pose_message(
            convert.position_of(poses[-1]) - [0.0, 0.0, 0.1], [0, 0, 0, 1], poses[-1].header.stamp
        )
        return result_of(ros, offer(ros, ExecutePolicy, 'execute_policy', goal), 120.0).result

    return call


def seconds(stamp):
    return convert.seconds(stamp)


def test_every_control_period_of_an_attempt_gets_its_command(execute, station):
    _, poses = station
    before = convert.position_of(poses[-1])
    result = execute()
    assert (result.outcome, result.error_code) == (Result.COMPLETED, ErrorCode.NONE)
    assert (result.steps, result.deadline_misses) == (30, 0)
    assert seconds(result.settle_start) - seconds(result.start) == pytest.approx(1.0)
    assert not result.can_retry, 'there is no pin in the hand'
    during = [
        convert.position_of(pose)
        for pose in poses
        if seconds(result.start) < seconds(pose.header.stamp) <= seconds(result.settle_start)
    ]
    assert len(during) == 30
    assert np.linalg.norm(np.array(during) - before, axis=1).max() < 0.005
    after = next(p for p in reversed(poses) if p.header.stamp == result.settled)
    assert convert.position_of(after)[2] > before[2] + 0.02, 'it retreated'


def test_a_policy_that_dies_in_mid_air_leaves_the_station_usable(execute, station, ros, tmp_path):
    path = tmp_path / 'policy.py'
    path.write_text(
        'import os\n\n\nclass Policy:\n    def __init__(self, checkpoint):\n        self.n = 0\n'
        '    def reset(self, context):\n        pass\n'
        '    def step(self, features):\n        self.n += 1\n'
        '        if self.n > 9:\n            os.kill(os.getpid(), 9)\n'
        '        return [0.0, 0.0, -0.001]\n',
        encoding='utf-8',
    )
    node, _ = station
    from rclpy.parameter import Parameter

    answer = node.set_parameters_atomically(
        [Parameter('controller', value='learned'), Parameter('learned.policy', value=str(path))]
    )
    assert answer.successful, answer.reason
    result = execute()
    assert (result.outcome, result.error_code) == (Result.ABORTED, ErrorCode.POLICY_CRASHED)
    assert 'SIGKILL' in result.message
    assert result.steps == 9
    assert math.isclose(result.depth, 0.009, abs_tol=0.006)
    assert node.set_parameters([Parameter('controller', value='hold')])[0].successful
    assert execute().outcome == Result.COMPLETED
