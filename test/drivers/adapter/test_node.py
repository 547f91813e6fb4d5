"""Each known controller, played by the test under its own topic names, moves and is felt."""

from __future__ import annotations

from pathlib import Path

from geometry_msgs.msg import PoseStamped, WrenchStamped
import numpy as np
import pytest
import rclpy
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64MultiArray

from enpire_nodes.common.types import ArmCommand
import enpire_nodes.drivers
from enpire_nodes.drivers.adapter.mappings import MAPPINGS, NAMES
from enpire_nodes.drivers.adapter.node import ArmAdapter
from enpire_nodes.ros import convert, qos

README = Path(enpire_nodes.drivers.__file__).parent / 'README.md'
DOWN = np.array([1.0, 0.0, 0.0, 0.0])
BEST_EFFORT = QoSProfile(depth=10, reliability=ReliabilityPolicy.BEST_EFFORT)


def start(ros, mapping, **parameters):
    """Start the adapter with the remappings of a mapping, as a launch file would."""
    arguments = ['--ros-args']
    for source, target in mapping.remappings('/lab/arm_1'):
        arguments += ['-r', f'{source}:={target}']
    values = {**mapping.parameters, 'base_position': [0.0, -0.6, 0.0], **parameters}
    return ros.add(
        ArmAdapter(
            namespace='/station_1',
            context=ros.context,
            cli_args=arguments,
            use_global_arguments=False,
            parameter_overrides=[rclpy.Parameter(name, value=v) for name, v in values.items()],
        )
    )


class Controller:
    """A controller that says where it is and hears what it shall do."""

    def __init__(self, ros, mapping, arrays: bool) -> None:
        topics = {name: f'/lab/arm_1/{topic}' for name, topic in mapping.topics.items()}
        self.poses, self.wrenches, self.grippers = (
            ros.node.create_publisher(kind, topics[f'controller/{name}'], BEST_EFFORT)
            for kind, name in (
                (PoseStamped, 'current_pose'),
                (WrenchStamped, 'wrench'),
                (JointState, 'gripper_state'),
            )
        )
        self.targets = ros.collect(PoseStamped, topics['controller/target_pose'], 10)
        self.grips = ros.collect(
            Float64MultiArray if arrays else JointState, topics['controller/gripper_command'], 10
        )
        self._timer = ros.node.create_timer(0.05, self._say)

    def _say(self) -> None:
        stamp = convert.time_message(12.5)
        self.poses.publish(convert.pose_message(np.array([0.3, 0.1, 0.2]), DOWN, stamp, 'base'))
        wrench = convert.wrench_message(np.array([0.0, 0.0, -4.0]), np.zeros(3), stamp)
        wrench.header.frame_id = 'sensor'
        self.wrenches.publish(wrench)
        self.grippers.publish(convert.gripper_message(0.02, 7.0, stamp))


@pytest.mark.ros
@pytest.mark.parametrize('name', sorted(MAPPINGS))
def test_a_known_controller_joins_by_remapping(ros, name):
    mapping = MAPPINGS[name]
    arrays = mapping.parameters.get('gripper_command_type') == 'float64_multi_array'
    scale = mapping.parameters.get('gripper_scale', 1.0)
    poses = ros.collect(PoseStamped, 'right/tcp_pose', qos.ARM_STATE)
    wrenches = ros.collect(WrenchStamped, 'right/wrench', qos.ARM_STATE)
    grippers = ros.collect(JointState, 'right/gripper/state', qos.ARM_STATE)
    controller = Controller(ros, mapping, arrays)
    start(ros, mapping)
    ros.wait_until(lambda: poses and wrenches and grippers)
    assert poses[-1].header.frame_id == wrenches[-1].header.frame_id == 'world'
    assert convert.seconds(poses[-1].header.stamp) == 12.5, "the controller's own stamp"
    np.testing.assert_allclose(convert.position_of(poses[-1]), [0.3, -0.5, 0.2], atol=1e-9)
    pressed = 4.0 if mapping.parameters['wrench_in_tool'] else -4.0
    np.testing.assert_allclose(convert.force_of(wrenches[-1]), [0, 0, pressed], atol=1e-9)
    assert grippers[-1].position[0] == pytest.approx(0.02 * scale)

    targets = ros.node.create_publisher(PoseStamped, 'driver/right/target_pose', qos.COMMANDS)
    grips = ros.node.create_publisher(JointState, 'driver/right/gripper/command', qos.COMMANDS)
    ros.wait_until(lambda: targets.get_subscription_count() and grips.get_subscription_count())
    command = ArmCommand(np.array([0.3, -0.5, 0.2]), DOWN, 0.04, 15.0)
    target, grip = convert.command_messages(command, convert.time_message(13.0))
    targets.publish(target)
    grips.publish(grip)
    ros.wait_until(lambda: controller.targets and controller.grips)
    assert controller.targets[-1].header.frame_id == 'base_link'
    sent = convert.position_of(controller.targets[-1])
    np.testing.assert_allclose(sent, [0.3, 0.1, 0.2], atol=1e-9)
    width = controller.grips[-1].data[0] if arrays else controller.grips[-1].position[0]
    assert width * scale == pytest.approx(0.04)


@pytest.mark.ros
def test_nonsense_is_not_passed_on(ros):
    mapping = MAPPINGS['crisp']
    controller = Controller(ros, mapping, arrays=True)
    poses = ros.collect(PoseStamped, 'right/tcp_pose', qos.ARM_STATE)
    start(ros, mapping)
    targets = ros.node.create_publisher(PoseStamped, 'driver/right/target_pose', qos.COMMANDS)
    ros.wait_until(lambda: poses and targets.get_subscription_count())
    stamp = convert.time_message(13.0)
    targets.publish(convert.pose_message(np.array([np.nan, 0.0, 0.0]), DOWN, stamp))
    targets.publish(convert.pose_message(np.zeros(3), DOWN, stamp, 'base_link'))
    targets.publish(convert.pose_message(np.array([0.1, -0.6, 0.0]), DOWN, stamp))
    ros.wait_until(lambda: controller.targets)
    assert len(controller.targets) == 1
    np.testing.assert_allclose(
        convert.position_of(controller.targets[0]), [0.1, 0.0, 0.0], atol=1e-9
    )


def test_every_mapping_is_whole_and_described():
    text = README.read_text(encoding='utf-8')
    for name, mapping in MAPPINGS.items():
        assert set(mapping.topics) == set(NAMES), name
        assert f'`{name}`' in text
        for topic in mapping.topics.values():
            assert f'`{topic}`' in text, f'{topic} of {name} is not in the table'
