"""Which idea comes next, and its commit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
import random
import tempfile

from enpire_nodes.common.errors import StationError
from enpire_nodes.evolution.researcher.bandit import Count, draw, probability_better
from enpire_nodes.evolution.researcher.catalogue import CATALOGUE, idea_named
from enpire_nodes.evolution.researcher.edits import apply
from enpire_nodes.evolution.researcher.idea import Idea, Template
from enpire_nodes.evolution.researcher.notes import message, noted, NOTES
from enpire_nodes.evolution.researcher.rehearsal import rehearse, write_files
from enpire_nodes.evolution.researcher.repository import Commit, Repository
from enpire_nodes.evolution.researcher.tree import Node, Stage, Tree

_SURVIVES = 0.8
#: What insertions have taught before: where it aims and what it does in contact matter most.
_PRIORS = {'aim': Count(2, 2), 'contact': Count(1, 1), 'finish': Count(0, 1)}


def _prior(family: str) -> Count:
    return _PRIORS.get(family, Count())


class Proposer:
    """Draws ideas by what came of their kind, and makes commits of them.

    :param seed: of every choice; a restart after ``n`` ideas goes on as if there had been none.
    :param trains: whether there are demonstrations to train on.
    :param retries: whether trials have several attempts.
    """

    def __init__(
        self, repository: Repository, seed: int, *, trains: bool = False, retries: bool = False
    ) -> None:
        self._repository, self._seed = repository, seed
        self._trains, self._retries = trains, retries
        #: (parent, idea) that could not be made there, and why.
        self.refused: dict[tuple[str, str], str] = {}

    def choose(self, tree: Tree) -> Idea | None:
        """Return the idea to try on the leader next; None when the catalogue is used up."""
        leader = tree.leader
        rng = random.Random(f'{self._seed} {len(tree.ideas())} {len(self.refused)}')
        barred = self._barred(tree, leader)
        learned = _learned(tree)
        left: dict[str, list[Template]] = {}
        for template in CATALOGUE:
            fits = (self._trains or not template.trains) and (
                self._retries or not template.retries
            )
            if fits and any(idea.name not in barred for idea in template.every()):
                left.setdefault(template.family, []).append(template)
        if not left:
            return None
        family = draw({name: learned.get(name, Count()) + _prior(name) for name in left}, rng)
        kinds = {one.key: learned.get(one.key, Count()) for one in left[family]}
        key = draw(kinds, rng)
        template = next(one for one in left[family] if one.key == key)
        open_ideas = [idea for idea in template.every() if idea.name not in barred]
        return _nearest(open_ideas, _survivors(tree), rng)

    def make(self, tree: Tree, idea: Idea, claim: Callable[[str], bool]) -> Commit | None:
        """Commit an idea on the leader and push it; None when it does not fit there.

        :param claim: asks for a sentence whether no other station works on it.
        :raises StationError: HUB_GIT_FAILED.
        """
        leader = tree.leader
        files = self._repository.files(leader.made.commit)
        changed = None
        for edits in idea.ways():
            try:
                changed = apply(files, edits)
                break
            except StationError as error:
                self.refused[leader.made.commit, idea.name] = error.message
        if changed is None:
            return None
        try:
            self._rehearse({**files, **changed})
        except StationError as error:
            self.refused[leader.made.commit, idea.name] = error.message
            return None
        if not claim(idea.sentence):
            self.refused[leader.made.commit, idea.name] = 'another station is at it'
            return None
        self.refused.pop((leader.made.commit, idea.name), None)
        if NOTES in files:
            changed[NOTES] = noted(files[NOTES], tree)
        borrowed = [
            node.made.commit
            for node in tree.ideas()
            if node.made.idea == idea.name and node.made.commit != leader.made.commit
        ]
        words = message(idea, leader, borrowed[-3:])
        commit = self._repository.commit(leader.made.commit, changed, words)
        self._repository.push(commit, idea.name)
        return Commit(commit, idea.name, leader.made.commit, idea.sentence, tuple(borrowed[-3:]))

    def _rehearse(self, files: Mapping[str, str]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            write_files(files, Path(folder))
            rehearse(Path(folder))

    def _barred(self, tree: Tree, leader: Node) -> set[str]:
        """Return the ideas that were tried; those that survived may be tried on a new leader."""
        line = _lineage(tree, leader)
        kinds = {node.made.idea.split(' ')[0] for node in line}
        survived = {node.made.idea for node in _survivors(tree)}
        here = {n.made.idea for n in tree.ideas() if n.made.parent == leader.made.commit}
        tried = {node.made.idea for node in tree.ideas() if node.rungs or node.jobs}
        refused = {name for parent, name in self.refused if parent == leader.made.commit}
        same_kind = {idea.name for one in CATALOGUE if one.key in kinds for idea in one.every()}
        return (tried - survived) | here | refused | _code_only(same_kind)


def _code_only(names: set[str]) -> set[str]:
    """Return the ideas that add code, which must not meet itself; a number may move again."""
    return {name for name in names if (idea := idea_named(name)) and idea.template.adds}


def _lineage(tree: Tree, node: Node) -> list[Node]:
    line = [node]
    while (parent := tree.nodes.get(line[-1].made.parent)) is not None and parent not in line:
        line.append(parent)
    return line


def _survivors(tree: Tree) -> list[Node]:
    """Return the ideas that were worth more than a screening."""
    base = tree.nodes[tree.main].count
    return [
        node
        for node in tree.ideas()
        if tree.stage(node) is Stage.LEADS
        or (node.rungs > 1 and probability_better(node.count, base) >= _SURVIVES)
    ]


def _learned(tree: Tree) -> dict[str, Count]:
    """Return, for each family and kind, how many ideas survived of those that were screened."""
    learned: dict[str, Count] = {}
    survivors = {node.made.commit for node in _survivors(tree)}
    for node in tree.ideas():
        idea = idea_named(node.made.idea)
        if idea is None or not node.rungs:
            continue
        one = Count(int(node.made.commit in survivors), 1)
        for key in (idea.template.family, idea.template.key):
            learned[key] = learned.get(key, Count()) + one
    return learned


def _nearest(ideas: list[Idea], survivors: list[Node], rng: random.Random) -> Idea:
    """Return one near what survived of the same kind, if anything did; else any."""
    good = [idea_named(node.made.idea) for node in survivors]
    near = [one.values for one in good if one and one.template is ideas[0].template]
    rng.shuffle(ideas)
    if not near:
        return ideas[0]
    return min(ideas, key=lambda idea: min(sum(idea.values[k] != v[k] for k in v) for v in near))
