"""The parameters of the trial runner."""

from __future__ import annotations

from rclpy.node import Node

from enpire_nodes.environment.context import TASK_PARAMETERS
from enpire_nodes.rollout.runner_audits import AUDIT_PARAMETERS
from enpire_nodes.rollout.station_client import Deadlines
from enpire_nodes.ros.parameters import ParameterSpec

_WAITS = {
    'station': 'for every partner to be ready, before a trial and after one was lost',
    'reset': 'for a reset of the scene',
    'execute': 'for one execution of the policy, letting go and retreating included',
    'judge': 'for a verdict',
    'recorder_start': 'for every required topic to arrive in the bag',
    'recorder_stop': 'for the bag to be closed and checked',
    'cancel': 'for the controlled stop of a stage that was canceled',
}

PARAMETERS = (
    *TASK_PARAMETERS,
    *AUDIT_PARAMETERS,
    ParameterSpec(
        'run_directory',
        '',
        'Folder of the ledger and the trials. Empty: runs/<time> in the working directory.',
        read_only=True,
    ),
    ParameterSpec(
        'manifest',
        '',
        'Manifest of the frozen environment, as enpire freeze wrote it. Empty: nothing is frozen, '
        'and every trial is marked so.',
        read_only=True,
    ),
    ParameterSpec(
        'limits_file',
        '',
        'Limits of the safety gate, of which a manifest says what they were.',
        read_only=True,
    ),
    ParameterSpec(
        'full_check_every',
        20,
        'Checks of the frozen files, two and more a trial, of which one reads every file again; '
        'the others read those that were touched.',
        minimum=1,
        maximum=1000,
        read_only=True,
    ),
    ParameterSpec(
        'seed',
        0,
        'Campaign seed from which the seeds of the trials are drawn; 0 draws one.',
        read_only=True,
    ),
    ParameterSpec(
        'max_attempts',
        8,
        'Attempts of a trial when the request does not say.',
        minimum=1,
        maximum=8,
    ),
    ParameterSpec(
        'partners',
        [
            'driver',
            'safety_gate',
            'scene_reset',
            'policy_executor',
            'reward_classifier',
            'trial_recorder',
        ],
        'Nodes, by relative name, whose heartbeats a trial needs.',
        read_only=True,
    ),
    ParameterSpec(
        'lost_after',
        2.0,
        's of the wall clock without a heartbeat after which a partner counts as lost. The safety '
        'gate stops the arms long before.',
        minimum=0.3,
        maximum=60.0,
        read_only=True,
    ),
    ParameterSpec(
        'patience',
        3,
        'Trials in a row that came to nothing (no policy ran, or a node was lost) after which a '
        'request is stopped.',
        minimum=1,
        maximum=1000,
        read_only=True,
    ),
    *(
        ParameterSpec(
            f'{name}_deadline',
            getattr(Deadlines(), name),
            f's of the wall clock {words}.',
            minimum=0.1,
            maximum=3600.0,
            read_only=True,
        )
        for name, words in _WAITS.items()
    ),
)


def deadlines(node: Node) -> Deadlines:
    """Read the deadlines."""
    return Deadlines(**{name: node.get_parameter(f'{name}_deadline').value for name in _WAITS})
