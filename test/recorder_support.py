"""A station as the trial recorder meets it."""

from __future__ import annotations

import contextlib
import time

from geometry_msgs.msg import PoseStamped
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import CompressedImage, JointState

from enpire_msgs.msg import SafetyState
from enpire_msgs.srv import StartRecording, StopRecording
from enpire_nodes.ros import qos

START, STOP = StartRecording.Response, StopRecording.Response
REQUIRED = ['joint_states', '*/tcp_pose', 'camera/*/image_raw/compressed', 'safety_state']


class Station:
    """Publishes what a station does, and polls the recorder as a runner does."""

    def __init__(self, ros, run):
        self.ros, self.run = ros, run
        node = ros.node
        self.joints = node.create_publisher(JointState, 'joint_states', qos.ARM_STATE)
        self.pose = node.create_publisher(PoseStamped, 'right/tcp_pose', qos.ARM_STATE)
        self.image = node.create_publisher(
            CompressedImage, 'camera/side/image_raw/compressed', qos_profile_sensor_data
        )
        self.safety = node.create_publisher(SafetyState, 'safety_state', qos.LATCHED)
        self.safety.publish(SafetyState(mode=SafetyState.HOLDING))
        self.published = 0
        self._timer = node.create_timer(0.01, self._publish)
        self.silent = set()

    def _publish(self):
        self.published += 1
        for publisher, message in (
            (self.joints, JointState(name=['a'], position=[0.5], velocity=[0.0], effort=[0.0])),
            (self.pose, PoseStamped()),
            (self.image, CompressedImage(format='jpeg', data=bytes(100))),
        ):
            if publisher not in self.silent:
                publisher.publish(message)

    def start(self, trial='trial_1', *, required=(), timeout=5.0, bag=None, wait=True):
        bag = str(bag or self.run / trial / 'bag')
        request = StartRecording.Request(trial_id=trial, bag=bag, required_topics=list(required))
        request.timeout.sec, request.timeout.nanosec = int(timeout), int(timeout % 1 * 1e9)
        return self._poll(StartRecording, 'recorder/start', request, START.STARTING, wait)

    def stop(self, trial='trial_1'):
        request = StopRecording.Request(trial_id=trial)
        return self._poll(StopRecording, 'recorder/stop', request, STOP.CLOSING, True)

    def _poll(self, kind, name, request, unfinished, wait):
        deadline = time.monotonic() + 20.0
        while True:
            # A killed server stays in the graph for a while, and swallows what it is sent.
            with contextlib.suppress(AssertionError):
                response = self.ros.call(kind, name, request, timeout=1.0)
                if response.outcome != unfinished or not wait:
                    return response
            assert time.monotonic() < deadline, f'no final answer of {name}'
            time.sleep(0.02)
