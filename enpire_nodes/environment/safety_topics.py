"""The topics of one arm on both sides of the safety gate, as plain values."""

from __future__ import annotations

from collections.abc import Callable
import time

from builtin_interfaces.msg import Time
from geometry_msgs.msg import PoseStamped, WrenchStamped
from rclpy.node import Node
from sensor_msgs.msg import JointState

from enpire_nodes.common.types import ArmState
from enpire_nodes.environment.safety.arm import CommandRequest
from enpire_nodes.environment.safety.assembly import (
    CommandAssembler,
    first_or_nan,
    StateAssembler,
)
from enpire_nodes.environment.safety.gate import Target
from enpire_nodes.ros import convert, qos


class ArmTopics:
    """Subscribes to an arm's states and commands, and publishes its targets to the driver.

    :param node: that subscribes and publishes.
    :param arm: name of the arm.
    :param states: makes states of the streams.
    :param on_state: gets each new state.
    :param on_command: gets each complete command.
    """

    def __init__(
        self,
        node: Node,
        arm: str,
        *,
        states: StateAssembler,
        on_state: Callable[[str, ArmState], None],
        on_command: Callable[[CommandRequest], None],
    ) -> None:
        self._node, self._arm = node, arm
        self._states, self._on_state, self._on_command = states, on_state, on_command
        self._commands = CommandAssembler(arm)
        self._state_stamp, self._command_stamp = Time(), Time()
        self._target = node.create_publisher(
            PoseStamped, f'driver/{arm}/target_pose', qos.COMMANDS
        )
        self._gripper = node.create_publisher(
            JointState, f'driver/{arm}/gripper/command', qos.COMMANDS
        )
        self._subscriptions = [
            node.create_subscription(kind, topic, callback, profile)
            for kind, topic, callback, profile in (
                (PoseStamped, f'{arm}/tcp_pose', self._on_pose, qos.ARM_STATE),
                (WrenchStamped, f'{arm}/wrench', self._on_wrench, qos.ARM_STATE),
                (JointState, f'{arm}/gripper/state', self._on_gripper, qos.ARM_STATE),
                (PoseStamped, f'command/{arm}/target_pose', self._on_target, qos.COMMANDS),
                (JointState, f'command/{arm}/gripper/command', self._on_grip, qos.COMMANDS),
            )
        ]

    @property
    def fault(self) -> str:
        """Why the streams make no states; empty when they do."""
        return self._states.fault

    def publish(self, target: Target) -> None:
        """Tell the driver where the arm shall be."""
        stamp = self._exact(target.stamp)
        pose, gripper = convert.command_messages(target.command, stamp)
        self._gripper.publish(gripper)
        self._target.publish(pose)

    def destroy(self) -> None:
        """Stop listening and publishing."""
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)
        for publisher in (self._target, self._gripper):
            self._node.destroy_publisher(publisher)

    def _exact(self, seconds: float) -> Time:
        """Return the stamp that ``seconds`` was made of, which a float rounds to 0.2 us."""
        for stamp in (self._command_stamp, self._state_stamp):
            if convert.seconds(stamp) == seconds:
                return stamp
        return convert.time_message(seconds)

    def _on_pose(self, message: PoseStamped) -> None:
        self._state_stamp = message.header.stamp
        self._report(
            self._states.pose(
                convert.seconds(message.header.stamp),
                message.header.frame_id,
                convert.position_of(message),
                convert.quaternion_of(message),
                time.monotonic(),
            )
        )

    def _on_wrench(self, message: WrenchStamped) -> None:
        self._report(
            self._states.wrench(
                convert.seconds(message.header.stamp),
                message.header.frame_id,
                convert.force_of(message),
                convert.torque_of(message),
                time.monotonic(),
            )
        )

    def _on_gripper(self, message: JointState) -> None:
        self._report(
            self._states.gripper(
                convert.seconds(message.header.stamp),
                first_or_nan(message.position),
                message.effort[0] if message.effort else 0.0,
                time.monotonic(),
            )
        )

    def _report(self, state: ArmState | None) -> None:
        if state is not None:
            self._on_state(self._arm, state)

    # rclpy 7.1.6: a callback that asks for the message's info, which numbers the messages of each
    # publisher, breaks the event-driven executor.

    def _on_target(self, message: PoseStamped) -> None:
        self._command_stamp = message.header.stamp
        self._request(
            self._commands.pose(
                convert.seconds(message.header.stamp),
                message.header.frame_id,
                convert.position_of(message),
                convert.quaternion_of(message),
            )
        )

    def _on_grip(self, message: JointState) -> None:
        self._request(
            self._commands.gripper(
                convert.seconds(message.header.stamp),
                first_or_nan(message.position),
                first_or_nan(message.effort),
            )
        )

    def _request(self, request: CommandRequest | None) -> None:
        if request is not None:
            self._on_command(request)
