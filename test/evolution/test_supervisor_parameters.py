"""The parameters of the supervisor, and the settings that are read from them."""

from __future__ import annotations

from dataclasses import fields

import pytest
import rclpy
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.parameter import Parameter

from enpire_nodes.evolution.campaign.settings import CampaignSettings
from enpire_nodes.evolution.research_settings import ResearchSettings
from enpire_nodes.evolution.supervisor_parameters import (
    campaign_settings,
    PARAMETERS,
    research_settings,
)
from enpire_nodes.ros.parameters import declare

CAMPAIGN = {
    'retest_trials': 8,
    'confirmation_attempts': 3,
    'most_queued': 7,
    'background_share': 0.25,
    'background_pairs': 9,
}
RESEARCH = {
    'hub': '/a/hub',
    'upstream': '/an/upstream',
    'model': 'm',
    'model_url': 'http://127.0.0.1:1',
    'model_key_variable': 'A_KEY',
    'model_key_file': '/a/key',
    'price_file': '/prices',
    'allow_unsandboxed_agent': True,
    'require_frozen': False,
    'stall_after': 33.0,
    'researcher_seed': 5,
}


@pytest.fixture
def node_with():
    context = rclpy.Context()
    rclpy.init(context=context)
    made = []

    def make(**values):
        node = rclpy.create_node(
            'supervisor', context=context, start_parameter_services=False,
            parameter_overrides=[Parameter(name, value=value) for name, value in values.items()],
        )  # fmt: skip
        made.append(node)
        declare(node, PARAMETERS)
        return node

    yield make
    for node in made:
        node.destroy_node()
    rclpy.shutdown(context=context)


def test_what_nobody_sets_is_what_the_settings_say(node_with):
    node = node_with()
    assert campaign_settings(node) == CampaignSettings()
    assert research_settings(node) == ResearchSettings()


def test_every_value_arrives_at_its_setting(node_with):
    node = node_with(**CAMPAIGN, **RESEARCH)
    campaign, research = campaign_settings(node), research_settings(node)
    assert {name: getattr(campaign, name) for name in CAMPAIGN} == CAMPAIGN
    named = dict(RESEARCH)
    named['allow_unsandboxed'] = named.pop('allow_unsandboxed_agent')
    assert {name: getattr(research, name) for name in named} == named
    assert {field.name for field in fields(ResearchSettings)} == set(named)


@pytest.mark.parametrize(
    ('name', 'value'),
    [
        ('retest_trials', 3),
        ('background_share', 1.5),
        ('most_queued', 0),
        ('stall_after', 1.0),
        ('researcher_seed', -1),
    ],
)
def test_a_value_out_of_its_range_is_refused(node_with, name, value):
    with pytest.raises(InvalidParameterValueException, match=name):
        node_with(**{name: value})


def test_a_value_of_another_type_is_refused(node_with):
    with pytest.raises(InvalidParameterTypeException, match='retest_trials'):
        node_with(retest_trials='many')


def test_what_the_agent_runs_with_does_not_change_under_way(node_with):
    node = node_with()
    (fixed,) = node.set_parameters([Parameter('require_frozen', value=False)])
    (free,) = node.set_parameters([Parameter('most_queued', value=12)])
    assert (fixed.successful, free.successful) == (False, True)
    assert research_settings(node).require_frozen
    assert campaign_settings(node).most_queued == 12
