"""What the scripted model has the agents do."""

from __future__ import annotations

from dataclasses import replace

from scripted_model import Step

from enpire_nodes.evolution.records import Tokens

#: Is in the conversation before the command that an agent is killed in: that one may be lost.
REMEMBERED = 'remember-this-word'
#: Leaves the sign by which a test knows that a command runs.
LONG_COMMAND = 'touch long-command-runs; sleep 300'


def tokens(index: int) -> Tokens:
    """Return tokens that differ in every step, so that no sum fits by accident."""
    return Tokens(1000 + index, 800 + 7 * index, 50 + 3 * index, 100 + index, 70 + index)


def idea() -> list[Step]:
    """Read, write a file, commit it, and say so."""
    steps = [
        Step(shell='ls -la && git log --oneline | head -3', think='Look first.'),
        Step(write=('idea.txt', 'a wider spiral finds the hole sooner\n')),
        Step(shell='cat idea.txt'),
        Step(shell='git add idea.txt && git commit -qm "A wider spiral finds the hole sooner"'),
        Step(say='The idea is committed.'),
    ]
    return numbered(steps)


def endless() -> list[Step]:
    """Ask for one thing after the other, for ever."""
    return numbered([Step(shell='date >> log.txt')])


def interrupted() -> list[Step]:
    """Begin with a command that does not end; a conversation that is gone on with finishes."""
    return numbered(
        [Step(shell=f'echo {REMEMBERED}'), Step(shell=LONG_COMMAND), Step(say='It has ended.')]
    )


def troubled() -> list[Step]:
    """Fail twice in the middle, as a provider that is overloaded."""
    return numbered(
        [Step(shell='true'), Step(shell='date', status=503, failures=2), Step(say='ok')]
    )


def slow() -> list[Step]:
    """Think for a while, then run something that takes a while."""
    steps = [Step(shell='touch works; sleep 2', delay=2.0), Step(say='It has ended.')]
    return numbered(steps)


def numbered(steps: list[Step]) -> list[Step]:
    """Give every step tokens of its own."""
    return [replace(step, tokens=tokens(index)) for index, step in enumerate(steps)]
