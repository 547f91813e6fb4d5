"""Which topics of known controllers carry what the adapter needs.

Keys are the adapter's own names. A name that a controller does not have is missing: what to do
then stands in ``enpire_nodes/drivers/README.md``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

#: The adapter's names on the controller's side.
NAMES = (
    'controller/current_pose',
    'controller/wrench',
    'controller/gripper_state',
    'controller/target_pose',
    'controller/gripper_command',
)


@dataclass(frozen=True, slots=True)
class ControllerMapping:
    """How one family of controllers is reached.

    :param topics: the controller's topic, relative to the arm's namespace, by the adapter's name.
    :param parameters: of the adapter, that this family needs whatever the robot.
    """

    topics: Mapping[str, str]
    parameters: Mapping[str, object] = field(default_factory=dict)

    def remappings(self, namespace: str) -> list[tuple[str, str]]:
        """Return (from, to) pairs for an arm whose controllers live in ``namespace``."""
        prefix = namespace.rstrip('/')
        return [(name, f'{prefix}/{topic}') for name, topic in self.topics.items()]


MAPPINGS: Mapping[str, ControllerMapping] = {
    # crisp_controllers: Cartesian impedance for torque-controlled arms
    'crisp': ControllerMapping(
        {
            'controller/current_pose': 'current_pose',
            'controller/target_pose': 'target_pose',
            'controller/wrench': 'force_torque_sensor_broadcaster/wrench',
            'controller/gripper_state': 'gripper/joint_states',
            'controller/gripper_command': 'gripper/gripper_position_controller/commands',
        },
        {'gripper_command_type': 'float64_multi_array', 'wrench_in_tool': True},
    ),
    # cartesian_controllers of FZI, for position-controlled arms with a force sensor, such as UR's
    'cartesian_controllers': ControllerMapping(
        {
            'controller/current_pose': 'cartesian_compliance_controller/current_pose',
            'controller/target_pose': 'cartesian_compliance_controller/target_frame',
            'controller/wrench': 'force_torque_sensor_broadcaster/wrench',
            'controller/gripper_state': 'gripper/joint_states',
            'controller/gripper_command': 'gripper/command',
        },
        {'wrench_in_tool': True},
    ),
    # crisp's targets with the state that franka_ros2 broadcasts itself
    'franka': ControllerMapping(
        {
            'controller/current_pose': 'franka_robot_state_broadcaster/current_pose',
            'controller/target_pose': 'target_pose',
            'controller/wrench': 'franka_robot_state_broadcaster/external_wrench_in_base_frame',
            'controller/gripper_state': 'franka_gripper/joint_states',
            'controller/gripper_command': 'gripper/command',
        },
        {'wrench_in_tool': False, 'gripper_scale': 2.0},
    ),
}
