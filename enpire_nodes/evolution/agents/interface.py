"""What the station needs to know of a kind of agent: how to start it, and how to read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol, runtime_checkable

from enpire_nodes.evolution.records import Tokens

#: Exit code of a ``final`` agent that was refused what it cannot do without.
CANNOT_GO_ON = 2


class EventKind(Enum):
    """What an agent did, as far as its output tells. Nothing is paid or credited by it."""

    SESSION = 'session'
    THINKING = 'thinking'
    TOOL_STARTED = 'tool_started'
    TOOL_ENDED = 'tool_ended'
    USAGE = 'usage'
    RETRY = 'retry'
    ERROR = 'error'
    TURN_ENDED = 'turn_ended'


@dataclass(frozen=True, slots=True)
class AgentEvent:
    """One thing that an agent said of itself.

    :param session: by which the conversation is gone on with; of SESSION alone.
    :param words: command of a tool, text of an error, why a turn ended.
    :param call: by which the end of a tool is matched with its start.
    :param tokens: of USAGE: what this call (or, with some agents, this turn) took.
    """

    kind: EventKind
    words: str = ''
    session: str = ''
    tool: str = ''
    call: str = ''
    ok: bool = True
    tokens: Tokens | None = None


@dataclass(frozen=True, slots=True)
class AgentTask:
    """One turn that is asked of an agent.

    :param session: to open, or to go on with; empty when the agent names its own.
    :param resume: go on with ``session``.
    :param workdir: its clone of the hub.
    :param home: its HOME, kept between lives: conversations lie in it.
    :param seed: for agents that draw random numbers.
    """

    prompt: str
    model: str
    workdir: Path
    home: Path
    session: str = ''
    resume: bool = False
    seed: int = 0


class EventReader(Protocol):
    """Turns lines of an agent's standard output into events; one for each life."""

    def feed(self, line: str) -> list[AgentEvent]:
        """Read a line; what is not understood is skipped."""
        ...


@runtime_checkable
class Conversation(EventReader, Protocol):
    """A reader that answers on the agent's standard input."""

    def opening(self) -> list[str]:
        """Return the lines to begin with."""
        ...

    def answers(self) -> list[str]:
        """Return the lines to write after what was fed last."""
        ...

    def interruption(self) -> list[str]:
        """Return the lines that ask the agent to leave off."""
        ...

    @property
    def over(self) -> bool:
        """Whether the standard input can be closed, which ends the agent."""
        ...


class Adapter(Protocol):
    """A kind of agent. The entry-point group ``enpire.agents`` names classes of this protocol."""

    #: As in the entry-point group.
    name: str
    #: Whether it is somebody else's program: it then needs the sandbox and a model.
    external: bool

    def prepare(self, home: Path, *, model: str, base_url: str) -> None:
        """Write the agent's settings into ``home``; may be called again."""
        ...

    def argv(self, task: AgentTask) -> list[str]:
        """Return the command of one turn.

        :raises StationError: SUPERVISOR_AGENT_FAILED; the program is not installed.
        """
        ...

    def environment(self, task: AgentTask, base_url: str) -> Mapping[str, str]:
        """Return the variables that it needs; no key is a real one."""
        ...

    def events(self, task: AgentTask) -> EventReader:
        """Return a reader for one life."""
        ...

    def requirements(self) -> tuple[Path, ...]:
        """Return what its program needs to read, beyond the base system."""
        ...

    def version(self) -> tuple[str, str]:
        """Ask the program for its version; return it, and a warning or an empty string."""
        ...

    def new_session(self) -> str:
        """Choose the id of a new conversation; empty when the agent chooses it."""
        ...

    def session_of(self, home: Path, workdir: Path) -> str:
        """Find the latest conversation in ``home``; empty when there is none to be found."""
        ...
