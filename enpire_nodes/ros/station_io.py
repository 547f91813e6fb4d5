"""A station's senses as observations, and a commander's commands as messages.

Everything that looks at or moves the arms does it through these two classes, so that one place
knows how topics become control periods in each pace (see ``pace`` in
:mod:`enpire_nodes.ros.parameters`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
import secrets
import time

from builtin_interfaces.msg import Time
from geometry_msgs.msg import PoseStamped, WrenchStamped
from sensor_msgs.msg import Image, JointState

from enpire_msgs.msg import MotionLease
from enpire_nodes.common.types import ArmState, Command, Frame, Observation
from enpire_nodes.ros import convert, qos
from enpire_nodes.ros.node import StationNode

CONTROL_RATE = 30.0  # Hz


class _ArmBuffer:
    """The newest messages of one arm."""

    def __init__(self) -> None:
        self.pose: PoseStamped | None = None
        self.wrench: WrenchStamped | None = None
        self.gripper: JointState | None = None

    def complete(self, *, together: bool) -> bool:
        """Whether every stream has arrived, and with one common stamp if ``together``."""
        if self.pose is None or self.wrench is None or self.gripper is None:
            return False
        if not together:
            return True
        stamp = self.pose.header.stamp
        return self.wrench.header.stamp == stamp and self.gripper.header.stamp == stamp

    def state(self) -> ArmState:
        """Return the arm's state; only when :meth:`complete`."""
        gripper = self.gripper
        return ArmState(
            stamp=convert.seconds(self.pose.header.stamp),
            position=convert.position_of(self.pose),
            quaternion=convert.quaternion_of(self.pose),
            force=convert.force_of(self.wrench),
            torque=convert.torque_of(self.wrench),
            gripper_width=gripper.position[0],
            gripper_effort=gripper.effort[0] if gripper.effort else 0.0,
        )


class StationSenses:
    """Subscribes to the arms and cameras, and calls back once per control period.

    In lockstep a control period begins when every arm's messages with a new common stamp are
    there; otherwise a timer at :data:`CONTROL_RATE` on the node's clock begins it, with the newest
    messages.

    :param node: that subscribes.
    :param arms: names, for example ``('left', 'right')``.
    :param cameras: names of the cameras whose pictures are wanted.
    :param on_tick: gets each observation, and the exact stamp to answer with.
    :param on_state: gets every arm's state as it arrives, faster than the control period.
    :param on_frame: gets every camera's name and picture as it arrives.
    """

    def __init__(
        self,
        node: StationNode,
        *,
        arms: Sequence[str],
        cameras: Sequence[str] = (),
        on_tick: Callable[[Observation, Time], None] | None = None,
        on_state: Callable[[str, ArmState], None] | None = None,
        on_frame: Callable[[str, Frame], None] | None = None,
    ) -> None:
        self._node = node
        self._lockstep = node.pace == 'lockstep'
        self._arms = {name: _ArmBuffer() for name in arms}
        self._frames: dict[str, Frame] = {}
        self._on_tick, self._on_state, self._on_frame = on_tick, on_state, on_frame
        self._ticked: Time | None = None
        self._arrival = -float('inf')
        self._subscriptions = []
        for name in arms:
            for topic, kind, field in (
                (f'{name}/tcp_pose', PoseStamped, 'pose'),
                (f'{name}/wrench', WrenchStamped, 'wrench'),
                (f'{name}/gripper/state', JointState, 'gripper'),
            ):
                self._subscribe(kind, topic, self._arm_callback(name, field), qos.ARM_STATE)
        for name in cameras:
            self._subscribe(
                Image, f'camera/{name}/image_raw', self._camera_callback(name), qos.IMAGES
            )
        self._timer = None
        if on_tick is not None and not self._lockstep:
            self._timer = node.create_timer(1.0 / CONTROL_RATE, self._on_timer)

    @property
    def age(self) -> float:
        """Seconds of the monotonic wall clock since the last arm state arrived; inf before."""
        return time.monotonic() - self._arrival

    @property
    def period_age(self) -> float:
        """Seconds since the control period began by its timer; 0 in lockstep, which has none."""
        if self._timer is None:
            return 0.0
        return max(0.0, 1.0 / CONTROL_RATE - self._timer.time_until_next_call() * 1e-9)

    @property
    def frames(self) -> Mapping[str, Frame]:
        """Newest picture of each camera that has delivered one."""
        return self._frames

    def observation(self) -> Observation | None:
        """Return the newest observation, or ``None`` before every arm has reported."""
        if not all(arm.complete(together=False) for arm in self._arms.values()):
            return None
        arms = {name: arm.state() for name, arm in self._arms.items()}
        stamp = max(state.stamp for state in arms.values())
        return Observation(stamp, arms, dict(self._frames))

    def destroy(self) -> None:
        """Stop listening."""
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)
        if self._timer is not None:
            self._node.destroy_timer(self._timer)

    def _subscribe(self, kind: type, topic: str, callback: Callable, profile: object) -> None:
        self._subscriptions.append(self._node.create_subscription(kind, topic, callback, profile))

    def _arm_callback(self, name: str, field: str) -> Callable:
        buffer = self._arms[name]

        def callback(message: object) -> None:
            setattr(buffer, field, message)
            self._arrival = time.monotonic()
            if self._lockstep:
                if buffer.complete(together=True):
                    self._report(name, buffer)
                    self._tick_if_complete(message.header.stamp)
            elif field == 'pose' and buffer.complete(together=False):
                self._report(name, buffer)

        return callback

    def _report(self, name: str, buffer: _ArmBuffer) -> None:
        if self._on_state is not None:
            self._on_state(name, buffer.state())

    def _camera_callback(self, name: str) -> Callable:
        def callback(message: Image) -> None:
            try:
                frame = convert.frame_of(message)
            except ValueError as error:
                self._node.get_logger().error(f'camera {name}: {error}', throttle_duration_sec=5.0)
                return
            self._frames[name] = frame
            if self._on_frame is not None:
                self._on_frame(name, frame)

        return callback

    def _tick_if_complete(self, stamp: Time) -> None:
        if self._on_tick is None:
            return
        for arm in self._arms.values():
            if not arm.complete(together=True) or arm.pose.header.stamp != stamp:
                return
        if stamp == self._ticked:
            return
        self._ticked = stamp
        self._on_tick(self.observation(), stamp)

    def _on_timer(self) -> None:
        observation = self.observation()
        if observation is None:
            return
        newest = max(
            (arm.pose.header.stamp for arm in self._arms.values()), key=convert.nanoseconds
        )
        self._on_tick(observation, newest)


class Commander:
    """Takes the motion lease, sends commands under it, and gives it back.

    :param node: whose name is the holder's.
    :param arms: every arm that may ever be commanded.
    """

    def __init__(self, node: StationNode, *, arms: Sequence[str]) -> None:
        self._node = node
        self._leases = node.create_publisher(MotionLease, 'command/lease', qos.LEASE)
        self._targets = {
            arm: node.create_publisher(PoseStamped, f'command/{arm}/target_pose', qos.COMMANDS)
            for arm in arms
        }
        self._grippers = {
            arm: node.create_publisher(JointState, f'command/{arm}/gripper/command', qos.COMMANDS)
            for arm in arms
        }
        self.lease = 0
        self._leased: tuple[str, ...] = ()

    @property
    def engaged(self) -> bool:
        """Whether the lease was asked for and not given back."""
        return self.lease != 0

    def engage(self, arms: Sequence[str]) -> None:
        """Ask for the lease; commands for exactly ``arms`` must follow every control period."""
        self.lease, self._leased = secrets.randbits(63) | 1, tuple(arms)
        self._publish_lease(engaged=True)

    def send(self, command: Command, stamp: Time) -> None:
        """Send one control period's commands; ``stamp`` is the observation's."""
        for arm in self._leased:
            target, gripper = convert.command_messages(command[arm], stamp)
            self._grippers[arm].publish(gripper)
            self._targets[arm].publish(target)

    def release(self) -> None:
        """Give the lease back; the gate then holds the last target."""
        if self.lease:
            self._publish_lease(engaged=False)
            self.lease, self._leased = 0, ()

    def destroy(self) -> None:
        """Give the lease back, and stop publishing."""
        self.release()
        for publisher in (self._leases, *self._targets.values(), *self._grippers.values()):
            self._node.destroy_publisher(publisher)

    def _publish_lease(self, *, engaged: bool) -> None:
        message = MotionLease(
            holder=self._node.get_fully_qualified_name(),
            lease=self.lease,
            engaged=engaged,
            arms=list(self._leased),
        )
        message.header.stamp = self._node.get_clock().now().to_msg()
        self._leases.publish(message)
