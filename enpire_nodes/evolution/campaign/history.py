"""What was tried so far and what came of it: the idea tree, as an agent reads it."""

from __future__ import annotations

from collections.abc import Sequence
import math
from pathlib import Path

from enpire_nodes.evolution.desk.views import HistoryView, IdeaView
from enpire_nodes.evolution.tree.build import build_tree
from enpire_nodes.evolution.tree.model import Idea, IdeaState

_NEAR = 0.2  # one-sided p-value up to which a difference is worth another look
_STALE = 8  # ideas without a gain after which something of another kind is advised


def history_of(run: Path, *, incumbent: str, weights: dict[str, str]) -> HistoryView:
    """Return all ideas of a run, oldest first.

    :param incumbent: commit of ``main``.
    :param weights: by commit, those that it was last tested with.
    :raises StationError: as of :func:`build_tree`.
    """
    tree = build_tree(run)
    ideas = sorted(
        (idea for idea in tree.ideas.values() if idea.station), key=lambda idea: idea.seconds
    )
    gains = [i for i, idea in enumerate(ideas) if idea.state >= IdeaState.BETTER]
    plateau = len(ideas) - 1 - gains[-1] if gains else len(ideas)
    near = tuple(
        idea.commit
        for idea in ideas
        if idea.state is IdeaState.ALIVE and idea.effect and idea.effect.p_value < _NEAR
    )
    return HistoryView(
        ideas=tuple(_view(idea, weights.get(idea.commit, '')) for idea in ideas),
        best=tree.best.commit if tree.best else incumbent,
        incumbent=incumbent,
        plateau=plateau,
        near_misses=near,
        words=_words(ideas, plateau, near),
    )


def _view(idea: Idea, weights: str) -> IdeaView:
    effect = idea.effect
    return IdeaView(
        commit=idea.commit,
        short=idea.commit[:10],
        subject=idea.subject,
        station=idea.station,
        parent=idea.parent,
        borrowed=idea.borrowed,
        state='confirmed' if idea.state is IdeaState.MAIN else idea.state.name.lower(),
        trials=idea.trials,
        successes=idea.successes,
        first_attempt_successes=idea.first_attempt_successes,
        lower=idea.lower,
        upper=idea.upper,
        effect=effect.difference if effect else math.nan,
        effect_lower=effect.lower if effect else math.nan,
        effect_upper=effect.upper if effect else math.nan,
        p_value=effect.p_value if effect else math.nan,
        robot_seconds=idea.robot_seconds,
        weights=weights,
        stamp=idea.seconds,
    )


def _words(ideas: Sequence[Idea], plateau: int, near: Sequence[str]) -> str:
    if not ideas:
        return 'nothing was tried yet'
    dead = sum(idea.state is IdeaState.DEAD for idea in ideas)
    words = f'{len(ideas)} ideas, {dead} dead'
    if plateau >= _STALE:
        words += f'; nothing got better for {plateau} ideas: try something of another kind'
    if near:
        words += f'; {len(near)} near misses deserve more trials'
    return words
