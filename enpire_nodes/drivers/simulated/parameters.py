"""Parameters of the simulated driver, with their prose."""

from __future__ import annotations

from collections.abc import Iterable

from enpire_nodes.ros.parameters import ParameterSpec
from enpire_nodes.simulation.camera import CameraFault
from enpire_nodes.simulation.noise import NoiseSettings

DRIVER = (
    ParameterSpec(
        'station_file', '', 'YAML file of the station; empty takes the one that ships.',
        read_only=True,
    ),
    ParameterSpec(
        'task', 'pin_insertion', 'Task whose scene is built; empty leaves the bench bare.',
        read_only=True,
    ),
    ParameterSpec(
        'task_file', '', "YAML file of the task's settings; empty takes its defaults.",
        read_only=True,
    ),
    ParameterSpec(
        'seed', 0, 'Seed of the scene, of every noise and of every drift.',
        minimum=0, maximum=2**31 - 1, read_only=True,
    ),
    ParameterSpec(
        'placement', '', "How the task's objects lie at the start; empty for usual.",
        read_only=True,
    ),
    ParameterSpec(
        'speed', 1.0, 'Simulated seconds a second of the wall clock, at pace `scaled`.',
        minimum=0.1, maximum=20.0, read_only=True,
    ),
    ParameterSpec(
        'state_rate', 100.0, 'Hz of simulated time at which arm states are published, unless '
        'in lockstep.', minimum=30.0, maximum=200.0, read_only=True,
    ),
    ParameterSpec(
        'camera_rate', 10.0, 'Frames a second of simulated time, of each camera.',
        minimum=1.0, maximum=60.0, read_only=True,
    ),
    ParameterSpec(
        'extra_cameras', '', 'Optional cameras of the station file that shall exist too, '
        'separated by commas, for example `gantry,right_wrist`.', read_only=True,
    ),
    ParameterSpec(
        'jpeg_quality', 90, 'Quality of compressed pictures, in percent.', minimum=10, maximum=100
    ),
    ParameterSpec(
        'command_timeout', 0.2, 'Seconds of the wall clock without a target after which an arm '
        'is held where it is measured to be.', minimum=0.05, maximum=5.0, read_only=True,
    ),
    ParameterSpec(
        'publish_ground_truth', False, 'Publish what is really so below `ground_truth/`. For '
        'tests and audits alone: nothing that acts may listen.', read_only=True,
    ),
    ParameterSpec(
        'faults.slippery', 0.0, 'Share of their friction that all finger pads have lost.',
        minimum=0.0, maximum=1.0,
    ),
)  # fmt: skip

#: Of each noise: what it is, its largest value, and whether it is fixed when the station starts.
NOISE: dict[str, tuple[str, float, bool]] = {
    'drift_sd': ('m per axis, wandering error of the reported tool position (sd)', 0.02, False),
    'drift_time': ('s, time constant of that wandering', 1e5, False),
    'pose_sd': ('m per axis, white noise of the reported tool position (sd)', 0.01, False),
    'force_sd': ('N per axis, white noise of the force (sd)', 20.0, False),
    'torque_sd': ('N m per axis, white noise of the torque (sd)', 2.0, False),
    'wrench_bias_sd': ('N per axis, constant offset of the force per seed (sd)', 20.0, False),
    'pixel_sd': ('grey levels, white noise of pictures (sd)', 60.0, False),
    'camera_position_sd': ('m per axis, displacement of each camera per seed (sd)', 0.05, True),
    'camera_angle_sd': ('rad per axis, rotation of each camera per seed (sd)', 0.2, True),
    'light_variation': ('share by which brightness differs per seed', 0.9, True),
    'frame_drop': ('probability that a frame is lost', 1.0, False),
    'frame_latency': ('s from exposure to delivery of a frame', 2.0, False),
    'command_latency': ('s from arrival of a command to its effect', 1.0, False),
}


def noise_parameters(defaults: NoiseSettings) -> list[ParameterSpec]:
    """Return ``noise.*`` with the station's own values as defaults."""
    return [
        ParameterSpec(
            f'noise.{name}',
            float(getattr(defaults, name)),
            text,
            minimum=1e-3 if name == 'drift_time' else 0.0,
            maximum=largest,
            read_only=fixed,
        )
        for name, (text, largest, fixed) in NOISE.items()
    ]


def camera_fault_parameters(cameras: Iterable[str]) -> list[ParameterSpec]:
    """Return ``faults.camera.<name>`` for each camera."""
    return [
        ParameterSpec(
            f'faults.camera.{name}',
            CameraFault.NONE.value,
            'What is wrong with this camera: it sends nothing any more (stopped), or its last '
            'picture over and over (frozen).',
            choices=tuple(fault.value for fault in CameraFault),
        )
        for name in cameras
    ]
