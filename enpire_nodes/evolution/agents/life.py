"""What the keeper holds of a life, and how the station starts one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from enpire_nodes.evolution.agents.interface import Adapter, AgentEvent, AgentTask
from enpire_nodes.evolution.agents.process import AgentProcess

#: (command, environment) as the adapter has it -> as it is run, for instance in a sandbox.
Wrap = Callable[[list[str], Mapping[str, str]], tuple[list[str], Mapping[str, str]]]


class Life(Protocol):
    """One life of an agent; see :class:`~enpire_nodes.evolution.agents.process.AgentProcess`."""

    @property
    def pid(self) -> int:
        """Id of its process."""
        ...

    def start(self) -> None:
        """Start it."""
        ...

    def poll(self) -> int | None:
        """Return its exit code; None while it runs."""
        ...

    def describe(self) -> str:
        """Say in words how it stands."""
        ...

    def pause(self) -> None:
        """Hold it."""
        ...

    def resume(self) -> None:
        """Let it go on."""
        ...

    def interrupt(self) -> None:
        """Ask it to leave off."""
        ...

    def terminate(self) -> None:
        """Ask it to end."""
        ...

    def kill(self) -> None:
        """End it at once."""
        ...

    def stop(self, grace: float = 5.0) -> int | None:
        """Do the three in turn."""
        ...


#: Makes the life of a task; what the agent says of itself goes to the second argument.
MakeLife = Callable[[AgentTask, Callable[[AgentEvent], None]], Life]


def launcher(adapter: Adapter, *, base_url: str, log: Path, wrap: Wrap, mark: str) -> MakeLife:
    """Return what starts lives of an agent.

    :param base_url: of the model, as the agent sees it.
    :param wrap: puts the command into its sandbox; it gets no other environment than it returns.
    :param mark: see :func:`~enpire_nodes.evolution.agents.tree.sweep`.
    """

    def make(task: AgentTask, on_event: Callable[[AgentEvent], None]) -> AgentProcess:
        argv, environment = wrap(adapter.argv(task), adapter.environment(task, base_url))
        return AgentProcess(
            argv,
            environment,
            log,
            on_event,
            reader=adapter.events(task),
            workdir=task.workdir,
            mark=mark,
        )

    return make
