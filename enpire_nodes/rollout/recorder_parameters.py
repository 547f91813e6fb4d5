"""What the trial recorder can be told, and what it records unless told otherwise."""

from enpire_nodes.rollout.recording.writer import COMPRESSIONS
from enpire_nodes.ros.parameters import ParameterSpec

#: What a station's bags hold; pictures as JPEG only.
TOPICS = (
    'joint_states',
    '*/tcp_pose',
    '*/wrench',
    '*/gripper/state',
    'camera/*/image_raw/compressed',
    'camera/*/camera_info',
    'command/lease',
    'command/*/target_pose',
    'command/*/gripper/command',
    'driver/*/target_pose',
    'driver/*/gripper/command',
    'operator/*',
    'policy/features',
    'safety_state',
    'station_state',
    'verdict',
    'heartbeats',
    '*/_action/status',
    '/clock',
    '/diagnostics',
)

#: Without these, no trial is worth running.
REQUIRED = (
    'joint_states',
    '*/tcp_pose',
    '*/wrench',
    'camera/*/image_raw/compressed',
    'safety_state',
)

PARAMETERS = (
    ParameterSpec(
        'topics',
        list(TOPICS),
        'Topics to record, relative to the station; a * stands for one part of a name. Topics '
        'that nobody publishes yet join when somebody does.',
    ),
    ParameterSpec(
        'required_topics',
        list(REQUIRED),
        'Topics, likewise, that must deliver before a recording counts as started, and must have '
        'messages in the closed bag; a request may name others.',
    ),
    ParameterSpec(
        'run_directory', '', 'Directory that relative names of bags are below; may be empty.'
    ),
    ParameterSpec('compression', 'zstd', 'Of the chunks of a bag.', choices=tuple(COMPRESSIONS)),
    ParameterSpec(
        'chunk_size_kb',
        256,
        'kB; a killed recorder loses a chunk at most.',
        minimum=16,
        maximum=8192,
    ),
    ParameterSpec(
        'minimum_free_mb',
        500.0,
        'MB that must be free to start; a recording under way ends itself at half of it.',
        minimum=0.0,
        maximum=1e6,
    ),
    ParameterSpec(
        'queue_mb', 64.0, 'MB of messages that may wait for the disk.', minimum=1.0, maximum=4096.0
    ),
    ParameterSpec(
        'start_timeout',
        10.0,
        's of wall-clock that the required topics have to deliver, unless the request says.',
        minimum=0.1,
        maximum=600.0,
    ),
    ParameterSpec(
        'discovery_period',
        1.0,
        's of wall-clock between looks for new publishers.',
        minimum=0.05,
        maximum=60.0,
    ),
)
