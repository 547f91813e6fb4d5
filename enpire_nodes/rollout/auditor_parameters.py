"""The parameters of the judge's auditor."""

from __future__ import annotations

from rclpy.node import Node

from enpire_nodes.environment.context import TASK_PARAMETERS
from enpire_nodes.rollout.auditing.alarm import AlarmRule
from enpire_nodes.ros.parameters import ParameterSpec

_RULE = AlarmRule()

PARAMETERS = (
    *TASK_PARAMETERS,
    ParameterSpec(
        'run_directory',
        '',
        'Run whose trials are audited: the folder of the ledger and of audits.jsonl.',
        read_only=True,
    ),
    ParameterSpec(
        'sample_share',
        0.1,
        'Share of the trials, 0 to 1, that are drawn for a person to label.',
        minimum=0.0,
        maximum=1.0,
        read_only=True,
    ),
    ParameterSpec(
        'second_verifier',
        True,
        "Score every bag afterwards with the task's second opinion, where it has one.",
        read_only=True,
    ),
    ParameterSpec(
        'accepted_disagreement',
        _RULE.false_successes,
        'Share of the failures, 0 to 1, that may be judged successes.',
        minimum=0.0001,
        maximum=0.5,
        read_only=True,
    ),
    ParameterSpec(
        'accepted_misses',
        _RULE.misses,
        'Share of the successes, 0 to 1, that may not be judged so, UNCERTAIN included.',
        minimum=0.001,
        maximum=0.9,
        read_only=True,
    ),
    ParameterSpec(
        'second_errors',
        _RULE.second_errors,
        "The second verifier's own share of errors, 0 to 1, added to what is accepted of it.",
        minimum=0.0,
        maximum=0.5,
        read_only=True,
    ),
    ParameterSpec(
        'alarm_confidence',
        _RULE.confidence,
        'Probability, 0 to 1, with which a judge as good as accepted is never doubted.',
        minimum=0.5,
        maximum=0.99999,
        read_only=True,
    ),
)


def alarm_rule(node: Node) -> AlarmRule:
    """Read what raises the alarm."""
    return AlarmRule(
        false_successes=node.get_parameter('accepted_disagreement').value,
        misses=node.get_parameter('accepted_misses').value,
        second_errors=node.get_parameter('second_errors').value,
        confidence=node.get_parameter('alarm_confidence').value,
    )
