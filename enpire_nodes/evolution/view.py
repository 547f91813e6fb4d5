"""What is asked of a campaign, what is seen of it while it runs, and how it ends."""

from __future__ import annotations

from dataclasses import dataclass, field
import math

from enpire_nodes.common.errors import ErrorCode
from enpire_nodes.evolution.records import Budgets, Tokens


@dataclass(frozen=True, slots=True)
class Asked:
    """The goal of a campaign; see ``enpire_msgs/RunResearch``."""

    task: str
    agent: str
    model: str
    campaign: str
    target: float
    confirmation_trials: int
    budgets: Budgets


@dataclass(frozen=True, slots=True)
class Ended:
    """How a campaign ended; ``outcome`` is a name of ``enpire_msgs/RunResearch``.

    :param success_rate: of ``main``; NaN when it was never confirmed.
    """

    outcome: str
    code: ErrorCode
    message: str
    best_commit: str = ''
    success_rate: float = math.nan
    success_lower: float = 0.0
    report: str = ''


@dataclass(frozen=True, slots=True)
class ResearchView:
    """Where a campaign stands; ``state`` is a name of ``enpire_msgs/ResearchStatus``.

    :param doing: what the agent does now, in words.
    :param tokens_per_minute: of all classes, recently.
    :param price: of all tokens, in the currency of the price list; NaN when it is unknown.
    """

    station: str
    task: str
    campaign: str
    agent: str
    state: str
    message: str = ''
    doing: str = ''
    ideas: int = 0
    queued: int = 0
    trials: int = 0
    best_commit: str = ''
    best_rate: float = math.nan
    best_lower: float = 0.0
    budget_share: float = 0.0
    budget_name: str = ''
    tokens: Tokens = field(default_factory=Tokens)
    tokens_per_minute: float = 0.0
    price: float = math.nan
    gpu: float = math.nan
    robot_seconds: float = 0.0
    human_seconds: float = 0.0
    report: str = ''
