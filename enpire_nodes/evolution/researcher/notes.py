"""What the researcher writes for people: messages of commits, and NOTES.md."""

from __future__ import annotations

from enpire_nodes.evolution.researcher.idea import Idea
from enpire_nodes.evolution.researcher.tree import Node, Tree

NOTES = 'NOTES.md'
_TITLE = '## Ideas that were given up'
_MOST = 20


def message(idea: Idea, parent: Node, borrowed: list[str]) -> str:
    """Return the message of an idea's commit."""
    lines = [idea.sentence, '']
    if parent.count.trials:
        lines += [f'Made from a recipe that succeeded in {parent.count} trials.', '']
    lines += [f'Idea: {idea.name}', f'Parent: {parent.made.commit}']
    lines += [f'Borrowed-From: {commit}' for commit in borrowed]
    return '\n'.join(lines) + '\n'


def verdict(tree: Tree, node: Node) -> str:
    """Say why an idea was given up."""
    if node.refuted:
        return f'{node.count}; the re-test on fresh seeds did not bear it out'
    return (
        f'{node.count}, the best {tree.leader.count}: better with a probability of '
        f'{tree.better(node):.2f}, too little for more trials'
    )


def noted(text: str, tree: Tree) -> str:
    """Return NOTES.md with what was given up so far, the newest last."""
    kept = text.split(_TITLE)[0].rstrip()
    dead = tree.dead()[-_MOST:]
    if not dead:
        return kept + '\n'
    lines = [
        f'* {node.made.subject} ({node.made.commit[:10]}): {verdict(tree, node)}.' for node in dead
    ]
    return '\n'.join(
        [kept, '', _TITLE, '', 'Screening results, no measured effects.', '', *lines, '']
    )
