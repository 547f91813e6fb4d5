"""The parameters of the agent's supervisor."""

from __future__ import annotations

from rclpy.node import Node

from enpire_nodes.evolution.campaign.settings import CampaignSettings
from enpire_nodes.evolution.research_settings import ResearchSettings
from enpire_nodes.ros.parameters import ParameterSpec

_CAMPAIGN, _RESEARCH = CampaignSettings(), ResearchSettings()

_OF_CAMPAIGN = (
    ParameterSpec(
        'retest_trials', _CAMPAIGN.retest_trials,
        'Pairs of trials, on fresh seeds and interleaved, by which a proposed recipe is compared '
        'with main before anyone credits it.',
        minimum=4, maximum=1000,
    ),
    ParameterSpec(
        'confirmation_attempts', _CAMPAIGN.confirmation_attempts,
        'Most attempts of a trial of a confirmation block.', minimum=1, maximum=8,
    ),
    ParameterSpec(
        'most_queued', _CAMPAIGN.most_queued, 'Trials that the agent may have in the queue.',
        minimum=1, maximum=10000,
    ),
    ParameterSpec(
        'background_share', _CAMPAIGN.background_share,
        'Share, 0 to 1, of the budgets of trials and robot time that the station may use for '
        'tests nobody asked for while the agent thinks.',
        minimum=0.0, maximum=1.0,
    ),
    ParameterSpec(
        'background_pairs', _CAMPAIGN.background_pairs, 'Pairs of trials of such a test.',
        minimum=1, maximum=100,
    ),
)  # fmt: skip

_OF_RESEARCH = (
    ParameterSpec(
        'hub', _RESEARCH.hub,
        'Bare Git repository of the ideas (enpire hub init). Empty: made from the template, in '
        'the run directory.',
        read_only=True,
    ),
    ParameterSpec(
        'upstream', _RESEARCH.upstream,
        'Hub of the fleet, by any Git transport, with which the own one exchanges ideas and '
        'results. Empty: the station works alone.',
        read_only=True,
    ),
    ParameterSpec(
        'model', _RESEARCH.model, 'Model of the agent when the goal names none.', read_only=True
    ),
    ParameterSpec(
        'model_url', _RESEARCH.model_url,
        "Where the model is served; the agent's requests are forwarded there. Empty: the usual "
        'one of the adapter.',
        read_only=True,
    ),
    ParameterSpec(
        'model_key_variable', _RESEARCH.model_key_variable,
        "Environment variable of this node with the model's key. The agent never gets it.",
        read_only=True,
    ),
    ParameterSpec(
        'model_key_file', _RESEARCH.model_key_file,
        'File with the key, readable by the owner alone; instead of the variable.',
        read_only=True,
    ),
    ParameterSpec(
        'price_file', _RESEARCH.price_file,
        'Price list (YAML). Empty: the one that ships, which names no prices.',
        read_only=True,
    ),
    ParameterSpec(
        'allow_unsandboxed_agent', _RESEARCH.allow_unsandboxed,
        'Run an external agent where bubblewrap does not work: it then has every right of the '
        'user who runs this node, network and robot included.',
        read_only=True,
    ),
    ParameterSpec(
        'require_frozen', _RESEARCH.require_frozen,
        'Begin no campaign unless the station runs on the manifest of a frozen environment.',
        read_only=True,
    ),
    ParameterSpec(
        'stall_after', _RESEARCH.stall_after,
        's (wall) without any sign of progress after which the agent is started again.',
        minimum=10.0, maximum=86400.0, read_only=True,
    ),
    ParameterSpec(
        'researcher_seed', _RESEARCH.researcher_seed,
        'Seed of the builtin researcher; 0 takes that of the station.', minimum=0,
        maximum=2**31 - 1, read_only=True,
    ),
)  # fmt: skip

PARAMETERS = (
    ParameterSpec(
        'run_directory', '', 'Run directory of the station: ledger, trials, and research/.',
        read_only=True,
    ),
    ParameterSpec('task', 'pin_insertion', 'Task of the station.', read_only=True),
    ParameterSpec('station_file', '', 'Cameras and arms of the station.', read_only=True),
    ParameterSpec('seed', 0, 'Seed of the station.', read_only=True),
    *_OF_CAMPAIGN,
    *_OF_RESEARCH,
)  # fmt: skip


def campaign_settings(node: Node) -> CampaignSettings:
    """Read how the station serves a campaign."""
    return CampaignSettings(
        **{spec.name: node.get_parameter(spec.name).value for spec in _OF_CAMPAIGN}
    )


def research_settings(node: Node) -> ResearchSettings:
    """Read how the agent is run."""

    def value(name: str) -> object:
        return node.get_parameter(name).value

    named = {'allow_unsandboxed_agent': 'allow_unsandboxed'}
    return ResearchSettings(
        **{named.get(spec.name, spec.name): value(spec.name) for spec in _OF_RESEARCH}
    )
