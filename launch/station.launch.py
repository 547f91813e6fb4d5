"""Bring up one station: every node of its configuration, each started again if it dies.

The nodes come from :func:`enpire_nodes.bringup.nodes.station_nodes`, the list that ``enpire up``
starts too.
"""

from enpire_nodes.bringup.arguments import configuration_from_text, STATION_ARGUMENTS
from enpire_nodes.bringup.nodes import (
    ENVIRONMENT,
    PACKAGE,
    ProcessSpec,
    station_nodes,
    station_processes,
    write_parameters,
)
from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch_ros.actions import Node


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


def start_station(context: LaunchContext) -> list[Node]:
    """Return the nodes of the station that the arguments describe."""
    configuration = configuration_from_text(context.launch_configurations)
    nodes = station_nodes(configuration)
    parameters = write_parameters(configuration, nodes)
    return [launch_node(process, str(parameters)) for process in station_processes(nodes)]


def launch_node(process: ProcessSpec, parameters: str) -> Node:
    """Return the action that starts a process of the station."""
    alone = len(process.nodes) == 1
    return Node(
        package=PACKAGE,
        executable=process.executable,
        name=process.nodes[0].name if alone else None,
        namespace=process.namespace,
        arguments=list(process.arguments),
        parameters=[parameters],
        remappings=list(process.remappings),
        additional_env=ENVIRONMENT,
        output='both',
        respawn=process.respawn.limit > 0,
        respawn_delay=process.respawn.delay,
        respawn_max_retries=process.respawn.limit,
        sigterm_timeout='10',  # the recorder may have to close a bag
    )
