"""Joins one arm with a Cartesian controller of its own to a station.

It says in the station's names, frames and signs what the controller says in its own, and passes
targets the other way. It adds no motion: without a command from the gate it sends nothing, and a
state that stays away is not made up, so that the gate trips.
"""

from __future__ import annotations

from builtin_interfaces.msg import Time
from geometry_msgs.msg import PoseStamped, WrenchStamped
import numpy as np
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64MultiArray

from enpire_nodes.drivers.adapter.frames import ArmFrames
from enpire_nodes.ros import convert, qos
from enpire_nodes.ros.main import run
from enpire_nodes.ros.node import StationNode
from enpire_nodes.ros.parameters import ParameterSpec

#: Matches reliable and best-effort publishers alike.
_FROM_CONTROLLER = QoSProfile(depth=10, reliability=ReliabilityPolicy.BEST_EFFORT)
_STILL = [0.0, 0.0, 0.0]
_STRAIGHT = [0.0, 0.0, 0.0, 1.0]

PARAMETERS = (
    ParameterSpec('arm', 'right', "The arm's name in the station.", read_only=True),
    ParameterSpec(
        'base_frame', 'base_link', 'frame_id that targets are sent with.', read_only=True
    ),
    ParameterSpec(
        'base_position', _STILL, "m, origin of the controller's base frame in `world`.",
        read_only=True,
    ),
    ParameterSpec(
        'base_quaternion', _STRAIGHT, 'Its orientation in `world`: x, y, z, w.', read_only=True
    ),
    ParameterSpec(
        'tool_position', _STILL, "m, the station's tool centre point (between the fingertips) in "
        "the controller's tool frame.", read_only=True,
    ),
    ParameterSpec(
        'tool_quaternion', _STRAIGHT, "The station's tool frame (+z leaves the hand, fingers "
        "close along y) in the controller's tool frame: x, y, z, w.", read_only=True,
    ),
    ParameterSpec(
        'wrench_in_tool', False, "The wrench is expressed in the controller's tool frame; else "
        'in its base frame.', read_only=True,
    ),
    ParameterSpec(
        'wrench_sign', 1, '1 if the wrench is what the environment does to the tool, -1 if it is '
        'what the tool does: pressing down on a table must read positive z.',
        minimum=-1, maximum=1, read_only=True,
    ),
    ParameterSpec(
        'wrench_point', _STILL, "m, the point that torques are about, in the controller's tool "
        'frame.', read_only=True,
    ),
    ParameterSpec(
        'gripper_command_type', 'joint_state', 'Type of `controller/gripper_command`.',
        choices=('joint_state', 'float64_multi_array'), read_only=True,
    ),
    ParameterSpec(
        'gripper_scale', 1.0, "m between the finger pads per unit of the gripper's own position.",
        minimum=-10.0, maximum=10.0, read_only=True,
    ),
    ParameterSpec(
        'gripper_offset', 0.0, 'm between the finger pads when its own position is zero.',
        minimum=-1.0, maximum=1.0, read_only=True,
    ),
)  # fmt: skip


class ArmAdapter(StationNode):
    """See the module."""

    def __init__(self, **arguments: object) -> None:
        super().__init__('arm_adapter', parameters=PARAMETERS, **arguments)

    def configure(self) -> None:
        """Open both sides."""
        value = {spec.name: self.get_parameter(spec.name).value for spec in PARAMETERS}
        self._scale, self._offset = value['gripper_scale'], value['gripper_offset']
        if self._scale == 0.0:
            raise ValueError('gripper_scale is 0; set it to metres of width per unit')
        self._frames = ArmFrames(
            base_position=np.array(value['base_position']),
            base_quaternion=np.array(value['base_quaternion']),
            tool_position=np.array(value['tool_position']),
            tool_quaternion=np.array(value['tool_quaternion']),
            wrench_in_tool=value['wrench_in_tool'],
            wrench_sign=float(value['wrench_sign']),
            wrench_point=np.array(value['wrench_point']),
        )
        self._base_frame, arm = value['base_frame'], value['arm']
        self._pose: np.ndarray | None = None
        self._listen(arm)
        publish = self.create_publisher
        self._poses = publish(PoseStamped, f'{arm}/tcp_pose', qos.ARM_STATE)
        self._wrenches = publish(WrenchStamped, f'{arm}/wrench', qos.ARM_STATE)
        self._grippers = publish(JointState, f'{arm}/gripper/state', qos.ARM_STATE)
        self._targets = publish(PoseStamped, 'controller/target_pose', qos.COMMANDS)
        self._as_array = value['gripper_command_type'] == 'float64_multi_array'
        kind = Float64MultiArray if self._as_array else JointState
        self._gripper_commands = publish(kind, 'controller/gripper_command', qos.COMMANDS)

    def _listen(self, arm: str) -> None:
        for kind, topic, callback, profile in (
            (PoseStamped, 'controller/current_pose', self._on_pose, _FROM_CONTROLLER),
            (WrenchStamped, 'controller/wrench', self._on_wrench, _FROM_CONTROLLER),
            (JointState, 'controller/gripper_state', self._on_gripper, _FROM_CONTROLLER),
            (PoseStamped, f'driver/{arm}/target_pose', self._on_target, qos.COMMANDS),
            (JointState, f'driver/{arm}/gripper/command', self._on_grip, qos.COMMANDS),
        ):
            self.create_subscription(kind, topic, callback, profile)

    def _on_pose(self, message: PoseStamped) -> None:
        self._pose = convert.quaternion_of(message)
        pose = self._frames.pose_in_world(convert.position_of(message), self._pose)
        self._poses.publish(convert.pose_message(*pose, _stamp(message)))

    def _on_wrench(self, message: WrenchStamped) -> None:
        if self._pose is None:
            return
        wrench = self._frames.wrench_in_world(
            convert.force_of(message), convert.torque_of(message), self._pose
        )
        self._wrenches.publish(convert.wrench_message(*wrench, _stamp(message)))

    def _on_gripper(self, message: JointState) -> None:
        if not message.position:
            return
        width = message.position[0] * self._scale + self._offset
        effort = message.effort[0] if message.effort else 0.0
        self._grippers.publish(convert.gripper_message(width, effort, _stamp(message)))

    def _on_target(self, message: PoseStamped) -> None:
        position, quaternion = convert.position_of(message), convert.quaternion_of(message)
        if not self._acceptable(np.concatenate([position, quaternion]), message):
            return
        pose = self._frames.pose_for_controller(position, quaternion)
        self._targets.publish(convert.pose_message(*pose, _stamp(message), self._base_frame))

    def _on_grip(self, message: JointState) -> None:
        if not message.position or not self._acceptable(np.array(message.position)):
            return
        position = (message.position[0] - self._offset) / self._scale
        if self._as_array:
            self._gripper_commands.publish(Float64MultiArray(data=[position]))
            return
        effort = message.effort[0] if message.effort else 0.0
        command = convert.gripper_message(position, effort, _stamp(message))
        self._gripper_commands.publish(command)

    def _acceptable(self, values: np.ndarray, target: PoseStamped | None = None) -> bool:
        frame = convert.WORLD if target is None else target.header.frame_id
        if self.active and np.all(np.isfinite(values)) and frame == convert.WORLD:
            return True
        self.get_logger().error(
            f'command refused: {frame=}, active={self.active}, values {values.tolist()}',
            throttle_duration_sec=1.0,
        )
        return False


def _stamp(message: PoseStamped | WrenchStamped | JointState) -> Time:
    return message.header.stamp


def main() -> None:
    """Run the node."""
    raise SystemExit(run(ArmAdapter))


if __name__ == '__main__':
    main()
