"""What the driver says: arm states, pictures, and the ground truth when it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
import numbers

from builtin_interfaces.msg import Time
import cv2
from geometry_msgs.msg import PointStamped, PoseStamped, WrenchStamped
import numpy as np
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, JointState
from std_msgs.msg import Bool, Float64, Float64MultiArray

from enpire_nodes.common.cameras import Camera
from enpire_nodes.common.types import Frame, Observation
from enpire_nodes.ros import convert, qos
from enpire_nodes.simulation.settings import BodyCamera


class StatePublisher:
    """Publishes joints, tool poses, wrenches and grippers with one common stamp."""

    def __init__(self, node: Node, arms: tuple[str, ...]) -> None:
        self._joints = node.create_publisher(JointState, 'joint_states', qos.ARM_STATE)
        self._poses, self._wrenches, self._grippers = (
            {arm: node.create_publisher(kind, f'{arm}/{topic}', qos.ARM_STATE) for arm in arms}
            for kind, topic in (
                (PoseStamped, 'tcp_pose'),
                (WrenchStamped, 'wrench'),
                (JointState, 'gripper/state'),
            )
        )

    def publish(
        self,
        observation: Observation,
        joints: Mapping[str, tuple[float, float, float]],
        stamp: Time,
    ) -> None:
        """Publish one state; each arm's pose comes last and so completes it."""
        position, velocity, effort = (list(values) for values in zip(*joints.values()))
        message = JointState(
            name=list(joints), position=position, velocity=velocity, effort=effort
        )
        message.header.stamp = stamp
        self._joints.publish(message)
        for arm, state in observation.arms.items():
            self._wrenches[arm].publish(convert.wrench_message(state.force, state.torque, stamp))
            self._grippers[arm].publish(
                convert.gripper_message(state.gripper_width, state.gripper_effort, stamp)
            )
            self._poses[arm].publish(convert.pose_message(state.position, state.quaternion, stamp))


class CameraPublisher:
    """Publishes the pictures of one camera, raw and compressed, with its parameters."""

    def __init__(self, node: Node, name: str, camera: Camera | BodyCamera) -> None:
        self._frame_id = f'{name}_optical_frame'
        self._info = camera_info(camera, self._frame_id)
        self._raw = node.create_publisher(Image, f'camera/{name}/image_raw', qos.IMAGES)
        self._compressed = node.create_publisher(
            CompressedImage, f'camera/{name}/image_raw/compressed', qos.IMAGES
        )
        self._infos = node.create_publisher(CameraInfo, f'camera/{name}/camera_info', qos.IMAGES)
        self._last: Frame | None = None
        self.published = 0

    def publish(self, frame: Frame, stamp: Time, *, quality: int) -> bool:
        """Publish a frame, unless it was the last one already or nobody is there to see it.

        :param quality: of the JPEG, in percent.
        """
        if frame is self._last:
            return False
        raw, compressed, infos = (
            publisher.get_subscription_count()
            for publisher in (self._raw, self._compressed, self._infos)
        )
        if not (raw or compressed or infos):
            return False
        self._last = frame
        self.published += 1
        self._info.header.stamp = stamp
        self._infos.publish(self._info)
        if raw:
            self._raw.publish(convert.image_message(frame.image, stamp, self._frame_id))
        if compressed:
            self._compressed.publish(
                compressed_message(frame.image, stamp, self._frame_id, quality)
            )
        return True


def compressed_message(
    image: np.ndarray, stamp: Time, frame_id: str, quality: int
) -> CompressedImage:
    """Return a JPEG message, as ``image_transport`` writes it, of an RGB picture."""
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    _, encoded = cv2.imencode('.jpg', bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    message = CompressedImage(format='rgb8; jpeg compressed bgr8')
    message.header.stamp = stamp
    message.header.frame_id = frame_id
    message.data.frombytes(encoded.tobytes())
    return message


def camera_info(camera: Camera | BodyCamera, frame_id: str) -> CameraInfo:
    """Return the parameters of a camera without distortion."""
    if isinstance(camera, BodyCamera):
        focal = camera.height / 2.0 / np.tan(camera.vertical_fov / 2.0)
        centre = camera.width / 2.0, camera.height / 2.0
        matrix = np.array([[focal, 0.0, centre[0]], [0.0, focal, centre[1]], [0.0, 0.0, 1.0]])
    else:
        matrix = camera.matrix
    message = CameraInfo(width=camera.width, height=camera.height, distortion_model='plumb_bob')
    message.header.frame_id = frame_id
    message.d = [0.0] * 5
    message.k = matrix.flatten().tolist()
    message.r = np.eye(3).flatten().tolist()
    message.p = np.hstack([matrix, np.zeros((3, 1))]).flatten().tolist()
    return message


class TruthPublisher:
    """Publishes what is really so below ``ground_truth/``; made only when asked for."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._publishers: dict[str, object] = {}

    def publish(self, truth: Mapping, stamp: Time) -> None:
        """Publish the arms' true tool poses, and every value of the scene by its own name."""
        for arm, values in truth['arms'].items():
            pose = convert.pose_message(values['position'], values['quaternion'], stamp)
            self._send(f'{arm}/tcp_pose', pose)
        for name, value in truth['scene'].items():
            self._send(f'scene/{name}', _truth_message(value, stamp))

    def _send(self, name: str, message: object) -> None:
        topic = f'ground_truth/{name}'
        if topic not in self._publishers:
            self._publishers[topic] = self._node.create_publisher(
                type(message), topic, qos.ARM_STATE
            )
        self._publishers[topic].publish(message)


def _truth_message(value: object, stamp: Time) -> object:
    if isinstance(value, bool | np.bool_):
        return Bool(data=bool(value))
    if isinstance(value, numbers.Real):
        return Float64(data=float(value))
    numbers_ = np.asarray(value, dtype=float).ravel()
    if numbers_.size != 3:
        return Float64MultiArray(data=numbers_.tolist())
    message = PointStamped()
    message.header.stamp, message.header.frame_id = stamp, convert.WORLD
    message.point.x, message.point.y, message.point.z = numbers_.tolist()
    return message
