"""A task, a station and a gate that do what a test tells them."""

from __future__ import annotations

from geometry_msgs.msg import PoseStamped, WrenchStamped
import numpy as np
from sensor_msgs.msg import Image, JointState

from enpire_msgs.msg import MotionLease, SafetyState
from enpire_nodes.common.errors import ErrorCode
from enpire_nodes.common.types import ArmCommand
from enpire_nodes.ros import convert, qos
from enpire_nodes.tasks.api import (
    Judgement,
    Outcome,
    Pose,
    ResetFailedError,
    ResetReport,
    Vote,
)

DOWN = np.array([1.0, 0.0, 0.0, 0.0])


class FakeVerifier:
    """Ready after three frames a camera; says what :attr:`outcome` says."""

    digest = 'd' * 64
    outcome = Outcome.SUCCESS

    def __init__(self, cameras):
        self.frames = {name: [] for name in cameras}
        self.states = []

    def add_frame(self, name, frame):
        self.frames[name].append(frame.stamp)

    def add_arm_state(self, state):
        self.states.append(state)

    def ready(self, *, settle_start, settled, min_frames=0):
        fresh = [sum(stamp > settled for stamp in stamps) for stamps in self.frames.values()]
        return min(fresh) >= (min_frames or 3)

    def decide(self, *, now, settle_start, settled, min_frames=0):
        enough = self.ready(settle_start=settle_start, settled=settled, min_frames=min_frames)
        outcome = self.outcome if enough else Outcome.UNCERTAIN
        code = ErrorCode.NONE if enough else ErrorCode.REWARD_CAMERA_STALE
        vote = Vote('camera/side', outcome, 0.9, 3, 0.01, 'as told')
        return Judgement(outcome, 0.9, (vote,), 0.002, code, 'as told')


class FakeTask:
    """Moves up for ``periods`` control periods, or fails as ``failure`` says."""

    name = 'fake'
    arm = 'right'
    cameras = ('side', 'front')
    periods = 10
    failure: Exception | None = None
    commands: list[float] = []

    def __init__(self, settings_file=None):
        self.settings = settings_file

    def digest(self):
        return 'd' * 64

    def reset(self, cameras, *, seed, report=None):
        observation = yield None
        report('locate', 'looking', 0)
        height = observation.arms['right'].position[2]
        for period in range(self.periods):
            command = ArmCommand(np.array([0.3, -0.3, height + 0.001 * period]), DOWN, 0.05)
            observation = yield {'right': command}
        if self.failure is not None:
            raise self.failure
        return ResetReport(Pose(np.array([0.27, -0.3, 0.0]), DOWN), ('slipped',), 1.0, np.zeros(2))

    def verifier(self, cameras):
        return FakeVerifier(cameras)


def operator_needed():
    """Return the failure of a reset that a person must put right."""
    return ResetFailedError(
        ErrorCode.RESET_PIN_OUT_OF_REACH, 'put the pin on the tray', ('fetch',)
    )


class FakeStation:
    """Publishes two arms at 50 Hz and two cameras at 10 Hz, and grants every lease.

    :param ros: the test's harness.
    """

    def __init__(self, ros):
        self.node = ros.node
        self.grant = True
        self.cameras = {'side', 'front'}
        self.targets = ros.collect(PoseStamped, 'command/right/target_pose', qos.COMMANDS)
        self.leases = []
        self.lease = None
        self._safety = self.node.create_publisher(SafetyState, 'safety_state', qos.LATCHED)
        self.node.create_subscription(MotionLease, 'command/lease', self._on_lease, qos.LEASE)
        self._publishers = {
            (arm, topic): self.node.create_publisher(kind, f'{arm}/{topic}', qos.ARM_STATE)
            for arm in ('left', 'right')
            for topic, kind in (
                ('tcp_pose', PoseStamped),
                ('wrench', WrenchStamped),
                ('gripper/state', JointState),
            )
        }
        self._images = {
            name: self.node.create_publisher(Image, f'camera/{name}/image_raw', qos.IMAGES)
            for name in ('side', 'front')
        }
        self.timer = self.node.create_timer(0.02, self._publish_arms)
        self.node.create_timer(0.1, self._publish_images)

    def trip(self, code=ErrorCode.GATE_FORCE_EXCEEDED, mode=SafetyState.TRIPPED):
        """Say that the gate stopped the arm."""
        self._report(mode, int(code), 'pressed too hard')

    def blind(self):
        """Stop reporting the arms."""
        self.timer.cancel()

    def now(self):
        """Return the station's clock as a stamp."""
        return self.node.get_clock().now().to_msg()

    def _on_lease(self, message):
        self.leases.append(message)
        self.lease = message
        if self.grant:
            self._report(SafetyState.PASSING if message.engaged else SafetyState.HOLDING)

    def _report(self, mode, code=int(ErrorCode.NONE), message=''):
        state = SafetyState(mode=mode, error_code=code, message=message)
        if self.lease is not None:
            state.holder, state.lease = self.lease.holder, self.lease.lease
        self._safety.publish(state)

    def _publish_arms(self):
        stamp = self.now()
        for arm in ('left', 'right'):
            self._publishers[arm, 'tcp_pose'].publish(
                convert.pose_message(np.array([0.3, -0.3, 0.1]), DOWN, stamp)
            )
            self._publishers[arm, 'wrench'].publish(
                convert.wrench_message(np.zeros(3), np.zeros(3), stamp)
            )
            self._publishers[arm, 'gripper/state'].publish(
                convert.gripper_message(0.05, 0.0, stamp)
            )

    def _publish_images(self):
        for name in tuple(self.cameras):  # a test takes some away meanwhile
            picture = np.random.default_rng().integers(0, 255, (24, 32, 3), dtype=np.uint8)
            self._images[name].publish(convert.image_message(picture, self.now(), name))
