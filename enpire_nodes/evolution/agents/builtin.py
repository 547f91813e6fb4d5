"""The agent that ships: it proposes by itself, without a model of language."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
import sys

from enpire_nodes.evolution.agents.interface import AgentEvent, AgentTask, EventKind, EventReader


class LineReader:
    """Takes every line as a sign of life; what the agent did is in the journal."""

    def feed(self, line: str) -> list[AgentEvent]:
        """Read a line."""
        return [AgentEvent(EventKind.THINKING, line[:300])]


class Builtin:
    """Runs :mod:`enpire_nodes.evolution.researcher` in the clone."""

    name = 'builtin'
    external = False
    #: It ends by itself when nothing is left to try (exit code 0), or when it cannot even begin
    #: (CANNOT_GO_ON): asked again it would say the same.
    final = True

    def prepare(self, home: Path, *, model: str, base_url: str) -> None:
        """Make the home; there are no settings."""
        home.mkdir(parents=True, exist_ok=True)

    def argv(self, task: AgentTask) -> list[str]:
        """Return the command; the prompt is not read."""
        return [
            sys.executable,
            '-m',
            'enpire_nodes.evolution.researcher',
            '--seed',
            str(task.seed),
        ]

    def environment(self, task: AgentTask, base_url: str) -> Mapping[str, str]:
        """Return nothing: it needs no model."""
        return {}

    def events(self, task: AgentTask) -> EventReader:
        """Return a reader for one life."""
        return LineReader()

    def requirements(self) -> tuple[Path, ...]:
        """Return nothing: it is a part of this package."""
        return ()

    def version(self) -> tuple[str, str]:
        """Return nothing to warn of."""
        return '', ''

    def new_session(self) -> str:
        """Return no id: it reads where it stands from the station."""
        return ''

    def session_of(self, home: Path, workdir: Path) -> str:
        """Return no id."""
        return ''
