"""The driver over real topics: pacing, watchdog, refusals, faults and repeatability."""

from __future__ import annotations

import time

from geometry_msgs.msg import PointStamped, PoseStamped, WrenchStamped
import mujoco
import numpy as np
import pytest
from rcl_interfaces.srv import SetParameters
from rclpy.parameter import Parameter
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, JointState

from enpire_msgs.msg import Heartbeat
from enpire_nodes.common.types import ArmCommand
from enpire_nodes.drivers.simulated import node as driver_node
from enpire_nodes.drivers.simulated.node import SimulatedDriver
from enpire_nodes.ros import convert, qos
from enpire_nodes.simulation.rendering import rendering_enabled

pytestmark = pytest.mark.ros
needs_gl = pytest.mark.skipif(not rendering_enabled(), reason='MUJOCO_GL=disable')
ARMS = ('left', 'right')


class BallTask:
    """The smallest scene: a ball that lies somewhere on the table."""

    def build_scene(self, spec, rng, placement):
        body = spec.worldbody.add_body(name='ball', pos=[0.27, rng.uniform(-0.4, -0.3), -0.08])
        body.add_freejoint()
        body.add_geom(type=mujoco.mjtGeom.mjGEOM_SPHERE, size=[0.02, 0, 0], rgba=[1, 0.4, 0, 1])

    def truth(self, model, data):
        return {'ball': data.body('ball').xpos.copy(), 'success': False, 'depth': 0.5}


@pytest.fixture(autouse=True)
def small_task(monkeypatch):
    """Replace every task by a small one."""
    monkeypatch.setattr(driver_node, 'load_task', lambda *_: BallTask())


@pytest.fixture
def blind(monkeypatch):
    """Let no camera exist."""
    monkeypatch.setenv('MUJOCO_GL', 'disable')


class Wires:
    """The gate's side of the driver's topics."""

    def __init__(self, ros) -> None:
        self.ros, node = ros, ros.node
        self.poses = {arm: ros.collect(PoseStamped, f'{arm}/tcp_pose', 100) for arm in ARMS}
        self.targets, self.grippers = (
            {
                arm: node.create_publisher(kind, f'driver/{arm}/{topic}', qos.COMMANDS)
                for arm in ARMS
            }
            for kind, topic in ((PoseStamped, 'target_pose'), (JointState, 'gripper/command'))
        )

    def start(self, **parameters):
        driver = self.ros.make(SimulatedDriver, **{'task': '', **parameters})
        self.wait_for(1)
        self.ros.wait_until(
            lambda: all(self.targets[arm].get_subscription_count() for arm in ARMS)
        )
        return driver

    def wait_for(self, count: int) -> None:
        self.ros.wait_until(lambda: all(len(self.poses[arm]) >= count for arm in ARMS))

    def newest(self, arm='right') -> PoseStamped:
        return self.poses[arm][-1]

    def send(self, arm, position, stamp, *, width=0.05):
        turn = convert.quaternion_of(self.newest(arm))
        target, gripper = convert.command_messages(
            ArmCommand(np.asarray(position, dtype=float), turn, width), stamp
        )
        self.grippers[arm].publish(gripper)
        self.targets[arm].publish(target)

    def answer(self, right=None) -> None:
        """Answer the newest state: the left arm stays, the right one goes to ``right``."""
        count = len(self.poses['right'])
        stamp = self.newest().header.stamp
        for arm in ARMS:
            there = convert.position_of(self.newest(arm))
            self.send(arm, there if right is None or arm == 'left' else right, stamp)
        self.wait_for(count + 1)


@pytest.fixture
def wires(ros):
    return Wires(ros)


def set_parameters(ros, **values):
    request = SetParameters.Request(
        parameters=[
            Parameter(name, value=value).to_parameter_msg() for name, value in values.items()
        ]
    )
    return ros.call(SetParameters, 'driver/set_parameters', request).results


def test_lockstep_waits_for_both_arms_then_advances_one_control_period(blind, wires, ros):
    clocks = ros.collect(Clock, '/clock', 100)
    wires.start(pace='lockstep')
    first = convert.nanoseconds(wires.newest().header.stamp)
    time.sleep(0.1)
    wires.send('right', convert.position_of(wires.newest()), wires.newest().header.stamp)
    time.sleep(0.15)
    assert convert.nanoseconds(wires.newest().header.stamp) == first, 'one arm is not enough'
    wires.answer()
    assert convert.nanoseconds(wires.newest().header.stamp) - first == pytest.approx(
        1e9 / 30, abs=1
    )
    ros.wait_until(lambda: clocks[-1].clock == wires.newest().header.stamp)


def test_lockstep_ignores_answers_to_another_state(blind, wires):
    wires.start(pace='lockstep')
    stamp = convert.time_message(convert.seconds(wires.newest().header.stamp) - 1.0)
    for arm in ARMS:
        wires.send(arm, convert.position_of(wires.newest(arm)), stamp)
    time.sleep(0.15)
    assert len({convert.nanoseconds(pose.header.stamp) for pose in wires.poses['right']}) == 1


def test_lockstep_repeats_an_unanswered_state_with_the_same_stamp(blind, wires, ros):
    wires.start(pace='lockstep')
    wires.wait_for(3)
    assert len({convert.nanoseconds(pose.header.stamp) for pose in wires.poses['right']}) == 1
    late = ros.collect(WrenchStamped, 'right/wrench')
    ros.wait_until(lambda: late, what='a late subscriber gets the state too')


def test_one_common_stamp_and_full_state(blind, wires, ros):
    wrenches = ros.collect(WrenchStamped, 'right/wrench', 100)
    grippers = ros.collect(JointState, 'left/gripper/state', 100)
    joints = ros.collect(JointState, 'joint_states', 100)
    wires.start(pace='lockstep')
    ros.wait_until(lambda: wrenches and grippers and joints)
    stamp = wires.newest().header.stamp
    assert stamp == wrenches[-1].header.stamp
    assert stamp == grippers[-1].header.stamp == joints[-1].header.stamp
    assert wires.newest().header.frame_id == wrenches[-1].header.frame_id == 'world'
    assert grippers[-1].name == ['gripper']
    assert len(joints[-1].name) == len(set(joints[-1].name)) == 12
    assert len(joints[-1].position) == len(joints[-1].velocity) == len(joints[-1].effort) == 12


def drive(ros, wires, periods, *, frames=None, **parameters):
    """Run a fixed command sequence in lockstep; return joint states and pictures as bytes."""
    joints = ros.collect(JointState, 'joint_states', 1000)
    images = ros.collect(Image, 'camera/side/image_raw', qos.IMAGES) if frames else []
    driver = wires.start(pace='lockstep', seed=7, task='pin_insertion', **parameters)
    if frames:
        ros.wait_until(lambda: images)
    start = convert.position_of(wires.newest())
    for index in range(periods):
        wires.answer(start + np.array([0.0, 0.0005, -0.0005]) * index)
    by_stamp = {convert.nanoseconds(m.header.stamp): tuple(m.position) for m in joints}
    pictures = {convert.nanoseconds(m.header.stamp): bytes(m.data) for m in images}
    ros.remove(driver)
    return by_stamp, pictures


@needs_gl
def test_lockstep_repeats_to_the_bit(ros):
    runs = []
    for _ in range(2):
        wires = Wires(ros)
        runs.append(drive(ros, wires, 31, frames=True))
    (joints, pictures), (again, pictures_again) = runs
    assert len(joints) == 32
    assert joints == again
    assert len(pictures) >= 10
    assert pictures == pictures_again


def test_a_restarted_driver_does_not_turn_the_clock_back(blind, wires, ros):
    beats = ros.node.create_publisher(Heartbeat, 'heartbeats', qos.HEARTBEATS)

    def beat():
        message = Heartbeat(node='/station_1/trial_runner')
        message.header.stamp = convert.time_message(500.0)
        beats.publish(message)

    timer = ros.node.create_timer(0.05, beat)
    wires.start(pace='lockstep')
    ros.node.destroy_timer(timer)
    assert convert.seconds(wires.newest().header.stamp) >= 500.0


def test_realtime_stamps_are_the_systems_and_states_come_at_100_hz(blind, wires):
    wires.start()
    count, started = len(wires.poses['right']), time.monotonic()
    time.sleep(1.0)
    rate = (len(wires.poses['right']) - count) / (time.monotonic() - started)
    assert 40 < rate < 120, 'a busy machine may miss some, and none are made up for'
    assert abs(convert.seconds(wires.newest().header.stamp) - time.time()) < 0.2


def test_scaled_time_runs_at_its_speed(blind, wires, ros):
    clocks = ros.collect(Clock, '/clock', 1000)
    driver = wires.start(pace='scaled', speed=4.0)
    ros.wait_until(lambda: clocks)

    def now():
        # what a busy machine could not keep up with is given up, and counted
        return convert.seconds(clocks[-1].clock) + driver.diagnostics()['fell behind [s]']

    first, started = now(), time.monotonic()
    time.sleep(1.0)
    assert 3.2 < (now() - first) / (time.monotonic() - started) < 4.8


def test_realtime_follows_targets_and_holds_when_they_stop(blind, wires):
    wires.start()
    start = convert.position_of(wires.newest())
    sent = start
    for index in range(30):
        sent = start - [0.0, 0.0, 0.003 * index]
        wires.send('right', sent, wires.newest().header.stamp)
        time.sleep(1 / 30)
    moving = convert.position_of(wires.newest())
    assert moving[2] < start[2] - 0.04
    # a far target, then silence: the arm must stop within the timeout, long before it is there
    for _ in range(3):
        wires.send('right', start, wires.newest().header.stamp)
        time.sleep(0.01)
    time.sleep(0.4)
    held = convert.position_of(wires.newest())
    time.sleep(0.3)
    np.testing.assert_allclose(convert.position_of(wires.newest()), held, atol=1e-3)


def test_a_refused_command_holds_the_arm_and_lockstep_goes_on(blind, wires, ros):
    driver = wires.start(pace='lockstep')
    start = convert.position_of(wires.newest())
    for _ in range(3):
        wires.answer(start - [0.0, 0.0, 0.01])
    wires.answer([np.nan, 0.0, 0.0])
    for _ in range(20):
        count, stamp = len(wires.poses['right']), wires.newest().header.stamp
        wires.send('left', convert.position_of(wires.newest('left')), stamp)
        wires.send('right', [np.inf, 0.0, 0.0], stamp)
        wires.wait_for(count + 1)
    assert driver.diagnostics()['refused commands'] == 21
    now = convert.position_of(wires.newest())
    assert np.all(np.isfinite(now))
    assert np.linalg.norm(now - start) < 0.013  # 10 mm were asked for, and the reading drifts


def test_a_command_in_another_frame_is_refused(blind, wires, ros):
    driver = wires.start()
    message = convert.pose_message(
        np.zeros(3), np.array([0.0, 0.0, 0.0, 1.0]), wires.newest().header.stamp, 'right_base'
    )
    wires.targets['right'].publish(message)
    ros.wait_until(lambda: driver.diagnostics()['refused commands'] == 1)


@needs_gl
def test_camera_faults_are_parameters_that_act_at_run_time(wires, ros):
    side = ros.collect(Image, 'camera/side/image_raw', qos.IMAGES)
    front = ros.collect(CompressedImage, 'camera/front/image_raw/compressed', qos.IMAGES)
    infos = ros.collect(CameraInfo, 'camera/side/camera_info', qos.IMAGES)
    wires.start()
    ros.wait_until(lambda: len(side) > 2 and len(front) > 2)
    assert (side[-1].width, side[-1].height, side[-1].encoding) == (320, 240, 'rgb8')
    assert bytes(front[-1].data[:2]) == b'\xff\xd8', 'a JPEG'
    assert infos[-1].k[2] == 160.0
    assert infos[-1].header.frame_id == side[-1].header.frame_id
    assert bytes(side[-1].data) != bytes(side[-2].data), 'each picture has fresh noise'
    faults = {'faults.camera.side': 'frozen', 'faults.camera.front': 'stopped'}
    assert all(result.successful for result in set_parameters(ros, **faults))
    time.sleep(0.3)
    count, silent = len(side), len(front)
    ros.wait_until(lambda: len(side) >= count + 3)
    assert len(front) == silent
    assert bytes(side[-1].data) == bytes(side[-3].data)
    assert side[-1].header.stamp != side[-3].header.stamp
    set_parameters(ros, **{'faults.camera.front': 'none'})
    ros.wait_until(lambda: len(front) > silent)


def test_bad_parameters_are_refused_with_the_reason(blind, wires, ros):
    driver = wires.start()
    bad, worse, fixed = set_parameters(
        ros, **{'faults.slippery': 1.5, 'noise.force_sd': -1.0, 'seed': 3}
    )
    assert not bad.successful
    assert not worse.successful
    assert not fixed.successful
    (good,) = set_parameters(ros, **{'noise.force_sd': 2.5})
    assert good.successful
    assert driver.station.noise.force_sd == 2.5


@pytest.mark.parametrize('published', [False, True])
def test_ground_truth_stays_inside_unless_asked_for(blind, wires, ros, published):
    ball = ros.collect(PointStamped, 'ground_truth/scene/ball')
    wires.start(pace='lockstep', publish_ground_truth=published, task='pin_insertion')
    wires.answer()
    time.sleep(0.2)
    assert bool(ball) is published
    names = [name for name, _ in ros.node.get_topic_names_and_types() if 'ground_truth' in name]
    assert len(names) == (5 if published else 1), 'the test itself subscribes to one'


def test_cleaning_up_and_starting_again(blind, wires, ros):
    driver = wires.start(pace='lockstep')
    wires.answer()
    before = convert.seconds(wires.newest().header.stamp)
    ros.within(driver.trigger_deactivate)
    ros.within(driver.trigger_cleanup)
    count = len(wires.poses['right'])
    ros.within(driver.trigger_configure)
    ros.within(driver.trigger_activate)
    wires.wait_for(count + 2)
    assert convert.seconds(wires.newest().header.stamp) > before
    wires.answer()
