"""How the agent is run: what a lab sets once."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ResearchSettings:
    """See the parameters of the node for what each means to a person.

    :param stall_after: s (wall).
    """

    hub: str = ''
    upstream: str = ''
    model: str = ''
    model_url: str = ''
    model_key_variable: str = ''
    model_key_file: str = ''
    price_file: str = ''
    allow_unsandboxed: bool = False
    stall_after: float = 900.0
    researcher_seed: int = 0
    require_frozen: bool = True
