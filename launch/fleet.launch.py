"""Bring up several stations on this machine: ``station_1``, ``station_2``, and so on.

Each is an included ``station.launch.py`` with its own namespace, run directory, seed and clock.
"""

from pathlib import Path

from launch import LaunchContext, LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    GroupAction,
    IncludeLaunchDescription,
    OpaqueFunction,
)
from launch.launch_description_sources import PythonLaunchDescriptionSource

MOST = 8
HERE = Path(__file__).resolve().parent


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments; the stations follow when their values are known."""
    return LaunchDescription(
        [
            DeclareLaunchArgument(
                'stations',
                default_value='2',
                description='How many stations to bring up.',
                choices=[str(count) for count in range(1, MOST + 1)],
            ),
            DeclareLaunchArgument(
                'configuration',
                default_value='station_1',
                description='Station file that all of them share, or its name.',
            ),
            DeclareLaunchArgument(
                'runs',
                default_value='runs',
                description='Directory in which each station has its run directory.',
            ),
            OpaqueFunction(function=start_fleet),
        ]
    )


def start_fleet(context: LaunchContext) -> list[GroupAction]:
    """Return one included station for each number."""
    given = context.launch_configurations
    return [
        GroupAction(
            [
                IncludeLaunchDescription(
                    PythonLaunchDescriptionSource(str(HERE / 'station.launch.py')),
                    launch_arguments={
                        'configuration': given['configuration'],
                        'station': f'station_{number}',
                        'run': f'{given["runs"]}/station_{number}',
                        'seed': str(number),
                        'own_clock': 'true',
                    }.items(),
                )
            ]
        )
        for number in range(1, int(given['stations']) + 1)
    ]
