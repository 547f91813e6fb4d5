"""Finding agents by name: installed ones by entry point, and those that ship."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.evolution.agents.interface import Adapter

GROUP = 'enpire.agents'
#: Any program that speaks the Agent Client Protocol: ``acp:<command>``.
ACP = 'acp:'
_HERE = 'enpire_nodes.evolution.agents'
#: Known even when the metadata of the installed package is older than the package.
BUILT_IN = {
    'builtin': f'{_HERE}.builtin:Builtin',
    'claude': f'{_HERE}.claude:Claude',
    'codex': f'{_HERE}.codex:Codex',
    'kimi': f'{_HERE}.kimi:Kimi',
}


def agent_names() -> list[str]:
    """Return the names of the agents that can be had, without ``acp:<command>``."""
    return sorted({entry.name for entry in entry_points(group=GROUP)} | set(BUILT_IN))


def adapter(name: str) -> Adapter:
    """Make the adapter of an agent.

    :param name: as in the entry-point group, or ``acp:<command>``.
    :raises StationError: SUPERVISOR_AGENT_UNKNOWN; the message lists those that exist.
    """
    if name.startswith(ACP):
        from enpire_nodes.evolution.agents.acp import Acp

        return Acp(name[len(ACP) :])
    for entry in entry_points(group=GROUP):
        if entry.name == name:
            return entry.load()()
    if name in BUILT_IN:
        module, attribute = BUILT_IN[name].split(':')
        return getattr(import_module(module), attribute)()
    raise StationError(
        ErrorCode.SUPERVISOR_AGENT_UNKNOWN,
        f'no agent {name!r}; there are {", ".join(agent_names())}, and acp:<command>',
    )
