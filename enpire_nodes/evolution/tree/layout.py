"""Where each idea is drawn: a row of its own, and a lane.

Rows go downwards from parent to child, one for each idea, so that no two labels can meet however
many ideas there are. Each idea hands its lane on to one child (the winning one, else the one with
most descendants); the others branch off into the lane beside it, between the two. The winning path
is thus one straight line, dead ends hang beside it, and no lines cross; the number of lanes grows
with the logarithm of the number of ideas off the winning path.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from enpire_nodes.evolution.tree.model import Idea, IdeaTree


@dataclass(frozen=True, slots=True)
class Place:
    """Where an idea is drawn; both count from 0."""

    lane: int
    row: int


@dataclass(frozen=True, slots=True)
class Layout:
    """A drawing's plan, by commit.

    :param straight: for each idea with children, the child that goes on in its lane.
    """

    places: Mapping[str, Place]
    straight: Mapping[str, str]

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.places)

    @property
    def lanes(self) -> int:
        """How many lanes there are."""
        return 1 + max((place.lane for place in self.places.values()), default=-1)


def arrange(tree: IdeaTree) -> Layout:
    """Lay a tree out."""
    children: dict[str, list[Idea]] = {}
    for idea in tree.ideas.values():
        parent = idea.parent if idea.parent in tree.ideas else ''
        children.setdefault(parent, []).append(idea)
    sizes: dict[str, int] = {}
    for idea in reversed(list(tree.ideas.values())):  # children come after their parents
        sizes[idea.commit] = 1 + sum(sizes[c.commit] for c in children.get(idea.commit, ()))
    winning = set(tree.winning)

    def weight(idea: Idea) -> tuple[bool, int, int, float]:
        return idea.commit in winning, sizes[idea.commit], idea.state, -idea.seconds

    places: dict[str, Place] = {}
    straight: dict[str, str] = {}
    # what is still to be placed, the next one last
    waiting = [(idea, 0) for idea in sorted(children.get('', ()), key=weight)]
    while waiting:
        idea, lane = waiting.pop()
        places[idea.commit] = Place(lane, len(places))
        own = children.get(idea.commit, [])
        if not own:
            continue
        heir = max(own, key=weight)
        straight[idea.commit] = heir.commit
        waiting.append((heir, lane))
        aside = [child for child in own if child is not heir]
        waiting += [(child, lane + 1) for child in reversed(aside)]
    return Layout(places, straight)
