"""Bring up one station: every node of its configuration, each started again if it dies.

The nodes come from :func:`enpire_nodes.bringup.nodes.station_nodes`, the list that ``enpire up``
starts too.
"""

from collections.abc import Callable
import os

from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity
from launch.actions import DeclareLaunchArgument, OpaqueFunction, RegisterEventHandler
from launch.event_handlers import OnProcessExit
from launch.events.process import ProcessExited
from launch_ros.actions import Node
from launch_ros.ros_adapters import get_ros_node

from enpire_msgs.msg import Heartbeat
from enpire_nodes.bringup.arguments import configuration_from_text, STATION_ARGUMENTS
from enpire_nodes.bringup.heartbeats import obituary
from enpire_nodes.bringup.nodes import (
    ENVIRONMENT,
    PACKAGE,
    ProcessSpec,
    station_nodes,
    station_processes,
    write_parameters,
)
from enpire_nodes.bringup.process import describe_exit
from enpire_nodes.ros import qos


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments; the nodes follow when their values are known."""
    return LaunchDescription(
        [
            *(
                DeclareLaunchArgument(
                    argument.name,
                    default_value=argument.default,
                    description=argument.description,
                    choices=argument.choices or None,
                )
                for argument in STATION_ARGUMENTS
            ),
            OpaqueFunction(function=start_station),
        ]
    )


def start_station(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    """Return the nodes of the station that the arguments describe."""
    configuration = configuration_from_text(context.launch_configurations)
    nodes = station_nodes(configuration)
    parameters = str(write_parameters(configuration, nodes))
    publisher = get_ros_node(context).create_publisher(
        Heartbeat, f'{configuration.namespace}/heartbeats', qos.HEARTBEATS
    )
    actions: list[LaunchDescriptionEntity] = []
    for process in station_processes(nodes):
        node = launch_node(process, parameters)
        tell = announcement(process, publisher.publish)
        actions += [node, RegisterEventHandler(OnProcessExit(target_action=node, on_exit=tell))]
    return actions


def launch_node(process: ProcessSpec, parameters: str) -> Node:
    """Return the action that starts a process of the station."""
    return Node(
        package=PACKAGE,
        executable=process.executable,
        name=process.nodes[0].name if len(process.nodes) == 1 else None,
        namespace=process.namespace,
        arguments=list(process.arguments),
        parameters=[parameters],
        remappings=list(process.remappings),
        additional_env={k: v for k, v in ENVIRONMENT.items() if k not in os.environ},
        output='both',
        respawn=process.respawn.limit > 0,
        respawn_delay=process.respawn.delay,
        respawn_max_retries=process.respawn.limit,
        sigterm_timeout='10',  # the recorder may have to close a bag
    )


def announcement(
    process: ProcessSpec, publish: Callable[[Heartbeat], None]
) -> Callable[[ProcessExited, LaunchContext], None]:
    """Return what tells the station at once that nodes have died, so that the arms are held."""

    def tell(event: ProcessExited, context: LaunchContext) -> None:
        if not context.is_shutdown:
            for node in process.nodes:
                publish(obituary(node.full_name, describe_exit(event.returncode)))

    return tell
