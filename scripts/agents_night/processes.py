"""The processes of an agent, found from outside of its sandbox."""

from __future__ import annotations

import time

import psutil

from enpire_nodes.evolution.agents import tree

_TOOL = 'enpire_nodes.evolution.tool'


def agent_of(pid: int) -> int:
    """Find the agent below the sandbox, and the relay that is the first program in there."""
    inside = psutil.Process(tree.leader(pid))
    children = inside.children()
    return children[0].pid if children else inside.pid


def sandbox_of(supervisor: int) -> int:
    """Find the sandbox that a supervisor has started; 0 when it has none now."""
    try:
        for process in psutil.Process(supervisor).children(recursive=True):
            if process.name() == 'bwrap':
                return process.pid
    except psutil.Error:
        pass  # it went away while it was looked at
    return 0


def waits_for_trials(supervisor: int, *, at_most: float) -> bool:
    """Whether an agent has been waiting for trials, and for no more than ``at_most`` s."""
    try:
        for process in psutil.Process(supervisor).children(recursive=True):
            words = process.cmdline()
            if _TOOL in words and words[-3:] == ['wait', '--max', '8']:
                return 0.5 < time.time() - process.create_time() < at_most
    except psutil.Error:
        pass  # it went away while it was looked at
    return False
