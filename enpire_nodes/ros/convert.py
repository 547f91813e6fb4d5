"""Between messages and the plain types of :mod:`enpire_nodes.common.types`."""

from __future__ import annotations

import array

from builtin_interfaces.msg import Duration, Time
from geometry_msgs.msg import PoseStamped, WrenchStamped
import numpy as np
from sensor_msgs.msg import Image, JointState

from enpire_nodes.common.types import ArmCommand, Frame

#: The one frame that poses, targets and forces are expressed in.
WORLD = 'world'


def seconds(stamp: Time | Duration) -> float:
    """Return a stamp or a duration in s."""
    return stamp.sec + stamp.nanosec * 1e-9


def nanoseconds(stamp: Time) -> int:
    """Return a stamp in ns; exact, so it can be compared for equality."""
    return stamp.sec * 1_000_000_000 + stamp.nanosec


def time_message(value: float) -> Time:
    """Return the stamp of ``value`` s, to the nearest ns."""
    total = round(value * 1e9)
    return Time(sec=total // 1_000_000_000, nanosec=total % 1_000_000_000)


def duration_message(value: float) -> Duration:
    """Return the duration of ``value`` s, to the nearest ns."""
    total = round(value * 1e9)
    return Duration(sec=total // 1_000_000_000, nanosec=total % 1_000_000_000)


def position_of(message: PoseStamped) -> np.ndarray:
    """Return the (3,) position in m."""
    point = message.pose.position
    return np.array([point.x, point.y, point.z])


def quaternion_of(message: PoseStamped) -> np.ndarray:
    """Return the (4,) quaternion, xyzw."""
    turn = message.pose.orientation
    return np.array([turn.x, turn.y, turn.z, turn.w])


def pose_message(
    position: np.ndarray, quaternion: np.ndarray, stamp: Time, frame: str = WORLD
) -> PoseStamped:
    """Return a stamped pose; ``position`` in m, ``quaternion`` xyzw."""
    message = PoseStamped()
    message.header.stamp = stamp
    message.header.frame_id = frame
    point, turn = message.pose.position, message.pose.orientation
    point.x, point.y, point.z = (float(value) for value in position)
    turn.x, turn.y, turn.z, turn.w = (float(value) for value in quaternion)
    return message


def wrench_message(force: np.ndarray, torque: np.ndarray, stamp: Time) -> WrenchStamped:
    """Return the stamped wrench on the tool; N and N m, along the axes of ``world``."""
    message = WrenchStamped()
    message.header.stamp = stamp
    message.header.frame_id = WORLD
    linear, angular = message.wrench.force, message.wrench.torque
    linear.x, linear.y, linear.z = (float(value) for value in force)
    angular.x, angular.y, angular.z = (float(value) for value in torque)
    return message


def force_of(message: WrenchStamped) -> np.ndarray:
    """Return the (3,) force in N."""
    linear = message.wrench.force
    return np.array([linear.x, linear.y, linear.z])


def torque_of(message: WrenchStamped) -> np.ndarray:
    """Return the (3,) torque in N m."""
    angular = message.wrench.torque
    return np.array([angular.x, angular.y, angular.z])


def gripper_message(width: float, effort: float, stamp: Time) -> JointState:
    """Return a gripper's state or command: ``width`` in m, ``effort`` in N."""
    message = JointState(name=['gripper'], position=[float(width)], effort=[float(effort)])
    message.header.stamp = stamp
    return message


def command_messages(command: ArmCommand, stamp: Time) -> tuple[PoseStamped, JointState]:
    """Return the two messages that carry one arm's command."""
    return (
        pose_message(command.position, command.quaternion, stamp),
        gripper_message(command.gripper_width, command.gripper_effort, stamp),
    )


def image_message(image: np.ndarray, stamp: Time, frame: str) -> Image:
    """Return an ``rgb8`` image message of a (height, width, 3) uint8 picture."""
    height, width, _ = image.shape
    message = Image(height=height, width=width, encoding='rgb8', step=3 * width)
    message.header.stamp = stamp
    message.header.frame_id = frame
    # rclpy copies an array in one go and checks any other sequence byte by byte
    message.data = array.array('B', np.ascontiguousarray(image).tobytes())
    return message


def frame_of(message: Image) -> Frame:
    """Return the picture of an ``rgb8`` or ``bgr8`` message as RGB.

    :raises ValueError: for another encoding, or when the data do not fit the size.
    """
    if message.encoding not in ('rgb8', 'bgr8'):
        raise ValueError(f'image encoding {message.encoding!r} is not rgb8 or bgr8')
    data = np.frombuffer(message.data, dtype=np.uint8)
    if message.step != 3 * message.width or data.size != message.height * message.step:
        raise ValueError(f'image of {message.width}x{message.height} pixels has {data.size} bytes')
    image = data.reshape(message.height, message.width, 3)
    if message.encoding == 'bgr8':
        image = np.ascontiguousarray(image[:, :, ::-1])
    return Frame(seconds(message.header.stamp), image)
