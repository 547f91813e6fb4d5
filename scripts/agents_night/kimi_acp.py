"""Kimi Code by the Agent Client Protocol: stands for any agent that speaks it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from enpire_nodes.evolution.agents.acp import Acp
from enpire_nodes.evolution.agents.interface import AgentTask
from enpire_nodes.evolution.agents.kimi import Kimi


class KimiAcp(Acp):
    """``acp:node .../main.mjs acp``, with settings as a lab would write them into its HOME."""

    def __init__(self) -> None:
        self._kimi = Kimi()
        super().__init__(f'{self._kimi.node} {self._kimi.program} acp')

    def prepare(self, home: Path, *, model: str, base_url: str) -> None:
        """Write the settings."""
        self._kimi.prepare(home, model=model, base_url=base_url)

    def environment(self, task: AgentTask, base_url: str) -> Mapping[str, str]:
        """Return the variables of both."""
        return {**super().environment(task, base_url), **self._kimi.environment(task, base_url)}
