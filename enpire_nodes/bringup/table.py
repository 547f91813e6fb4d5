"""The nodes of a station, by name, in the order in which they are started."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

#: Parameters that every node is given.
EVERY_NODE = ('use_sim_time', 'pace')
_TASK = ('task', 'task_file', 'station_file')


@dataclass(frozen=True, slots=True)
class NodeEntry:
    """One kind of node.

    :param executable: of the package ``enpire``.
    :param location: ``module:Class``.
    :param derived: parameters that it takes from the station's configuration.
    """

    executable: str
    location: str
    derived: tuple[str, ...]


NODES: Mapping[str, NodeEntry] = {
    'driver': NodeEntry(
        'simulated_station',
        'enpire_nodes.drivers.simulated.node:SimulatedDriver',
        (*_TASK, 'seed', 'speed'),
    ),
    'safety_gate': NodeEntry(
        'safety_gate',
        'enpire_nodes.environment.safety_gate:SafetyGate',
        ('limits_file', 'run_directory'),
    ),
    'scene_reset': NodeEntry(
        'scene_reset', 'enpire_nodes.environment.scene_reset:SceneReset', _TASK
    ),
    'reward_classifier': NodeEntry(
        'reward_classifier',
        'enpire_nodes.environment.reward_classifier:RewardClassifier',
        (*_TASK, 'weights_file'),
    ),
    'policy_executor': NodeEntry(
        'policy_executor',
        'enpire_nodes.rollout.policy_executor:PolicyExecutor',
        (*_TASK, 'run_directory'),
    ),
    'trial_recorder': NodeEntry(
        'trial_recorder',
        'enpire_nodes.rollout.trial_recorder:TrialRecorder',
        (*_TASK, 'run_directory'),
    ),
    'trial_runner': NodeEntry(
        'trial_runner',
        'enpire_nodes.rollout.trial_runner:TrialRunner',
        (*_TASK, 'weights_file', 'limits_file', 'run_directory', 'seed', 'manifest'),
    ),
    'judge_auditor': NodeEntry(
        'judge_auditor',
        'enpire_nodes.rollout.judge_auditor:JudgeAuditor',
        (*_TASK, 'run_directory'),
    ),
    'agent_supervisor': NodeEntry(
        'agent_supervisor',
        'enpire_nodes.evolution.agent_supervisor:AgentSupervisor',
        ('task', 'station_file', 'run_directory', 'seed'),
    ),
}

#: It adds tokens, price and GPU to what the runner says of the robot's time, and publishes all of
#: it under the name that the runner's report has on a station without an agent.
SUPERVISOR = 'agent_supervisor'
ROBOT_UTILIZATION = ('utilization', 'robot_utilization')
#: Whose death stops no arm: a trial that was asked for goes on without whoever asked.
BYSTANDERS = (SUPERVISOR,)

#: Whom the trial runner waits for on a station whose judge is audited: nobody audits later what
#: happened while the auditor was away, so nothing happens then.
AUDITOR = 'judge_auditor'
AUDITED_PARTNERS = (
    'driver',
    'safety_gate',
    'scene_reset',
    'policy_executor',
    'reward_classifier',
    'trial_recorder',
    AUDITOR,
)

#: Ready ways to share processes. What shares one works at different times, so that nobody waits
#: for the other; driver, gate and executor keep their periods best alone, and the auditor looks at
#: pictures whenever a trial has ended. Measured on 2 cores at real time (`enpire bench`): separate
#: 1.20 cores and 792 MB, grouped 1.13 cores and 661 MB.
COMPOSITIONS: Mapping[str, list[list[str]]] = {
    'separate': [],
    'grouped': [
        ['scene_reset', 'reward_classifier'],
        ['trial_recorder', 'trial_runner'],
    ],
    'single': [list(NODES)],
}
COMPOSITIONS = {**COMPOSITIONS, 'default': COMPOSITIONS['grouped']}
