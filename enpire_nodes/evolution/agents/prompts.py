"""What an agent is told: little. What it is to do stands in PROGRAM.md, in its clone."""

from __future__ import annotations

#: Of the facts, characters: a prompt is an argument of a command.
_MOST = 8000

FIRST = """\
Read PROGRAM.md in this folder and do what it says. `enpire status` shows where the campaign
stands, `enpire --help` what you can ask of the station. Nobody is there to answer questions:
decide for yourself, and go on until the station says that the campaign is over.

Where the campaign stands now:
{facts}
"""

_RESUME = """\
Facts from the station, which are newer than what you remember:
{facts}

{why} Go on with PROGRAM.md. Check `enpire status`, `git status` and `git log` before you rely on
anything that was under way. Do not wait for anybody.
"""

RESTARTED = 'You were started again{reason}; a command that was running then may not have ended.'
TURN_ENDED = 'You ended your turn, but the target is not reached and there is budget left.'
IDLE = (
    'You ended your turn without asking the station for anything, and this counts against you. '
    'If you are out of ideas, read NOTES.md and `enpire history`, combine near misses, or try '
    'something bolder.'
)


def first(facts: str) -> str:
    """Write the prompt of a new conversation."""
    return FIRST.format(facts=_bounded(facts))


def resumed(facts: str, why: str) -> str:
    """Write the prompt that a conversation is gone on with; it begins with facts."""
    return _RESUME.format(facts=_bounded(facts), why=why)


def restarted(reason: str) -> str:
    """Say that the agent was started again, and why."""
    return RESTARTED.format(reason=f' ({reason[:300]})' if reason else '')


def _bounded(facts: str) -> str:
    facts = facts.strip() or 'none'
    return facts if len(facts) <= _MOST else f'{facts[:_MOST]} ...'
